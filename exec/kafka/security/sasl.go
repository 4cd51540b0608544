package security

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
)

var mechanisms = []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"}

// modules are Java's classes that hold a name and a password, by the mechanism they are for.
var modules = map[string]string{
	"org.apache.kafka.common.security.plain.PlainLoginModule": "PLAIN",
	"org.apache.kafka.common.security.scram.ScramLoginModule": "SCRAM",
}

// readSASL reads who to be for the brokers.
func readSASL(v *values) (*kafka.SASL, error) {
	mechanism, err := readMechanism(v)
	if err != nil {
		return nil, err
	}
	s := &kafka.SASL{Mechanism: mechanism, User: v.get("sasl.username"), Password: v.get("sasl.password")}
	if v.has("sasl.jaas.config") {
		user, password, err := readLogin(v, mechanism)
		switch {
		case err != nil:
			return nil, err
		case v.has("sasl.username") && s.User != user, v.has("sasl.password") && s.Password != password:
			return nil, fmt.Errorf("%s and %s name different users or passwords; take one of them out",
				v.called("sasl.jaas.config"), strings.Join(append(v.given("sasl.username"), v.given("sasl.password")...), ", "))
		}
		s.User, s.Password = user, password
	}
	switch {
	case s.User == "" && s.Password == "":
		return nil, v.errorf("sasl.jaas.config", "it is not set; with %s=%s it has the user and the password "+
			"(or sasl.username and sasl.password have them): %s required username=\"…\" password=\"…\";",
			v.called("security.protocol"), v.get("security.protocol"), moduleFor(mechanism))
	case s.User == "":
		return nil, v.errorf("sasl.username", "it is not set, but sasl.password is")
	case s.Password == "":
		return nil, v.errorf("sasl.password", "it is not set, but there is a user name")
	case strings.ContainsRune(s.User+s.Password, 0):
		return nil, v.errorf("sasl.jaas.config", "user and password cannot have a zero character")
	}
	return s, nil
}

// readMechanism reads sasl.mechanism, which librdkafka calls sasl.mechanisms.
func readMechanism(v *values) (string, error) {
	name := "sasl.mechanism"
	if !v.has(name) && v.has("sasl.mechanisms") {
		name = "sasl.mechanisms"
	}
	mechanism := strings.ToUpper(v.get(name))
	if both := strings.ToUpper(v.get("sasl.mechanisms")); both != "" && both != mechanism {
		return "", fmt.Errorf("%s and %s differ; take one of them out", v.called("sasl.mechanism"), v.called("sasl.mechanisms"))
	}
	want := strings.Join(mechanisms, ", ")
	switch {
	case mechanism == "":
		return "", v.errorf(name, "it is not set, which means GSSAPI (Kerberos), and that is not supported; set it to one of %s", want)
	case !slices.Contains(mechanisms, mechanism):
		return "", v.errorf(name, "%q is not supported; it may be one of %s", v.get(name), want)
	}
	return mechanism, nil
}

// readLogin takes user and password out of sasl.jaas.config.
func readLogin(v *values, mechanism string) (user, password string, err error) {
	const property = "sasl.jaas.config"
	login, err := parseJAAS(v.get(property))
	if err != nil {
		return "", "", v.errorf(property, "%w", err)
	}
	family, known := modules[login.module]
	if !known {
		return "", "", v.errorf(property, "its login module is not supported; %s needs %s", mechanism, moduleFor(mechanism))
	}
	if !strings.HasPrefix(mechanism, family) {
		v.warn("%s has the login module of %s, but %s is used", v.called(property), family, mechanism)
	}
	if strings.EqualFold(login.options["tokenauth"], "true") {
		return "", "", v.errorf(property, "delegation tokens (tokenauth) are not supported; use a user with a password")
	}
	for _, option := range []string{"username", "password"} {
		if login.options[option] == "" {
			return "", "", v.errorf(property, `it has no %s; it is to be: %s required username="…" password="…";`, option, login.module)
		}
	}
	return login.options["username"], login.options["password"], nil
}

// moduleFor is the class that Java uses for a mechanism.
func moduleFor(mechanism string) string {
	for module, family := range modules {
		if strings.HasPrefix(mechanism, family) {
			return module
		}
	}
	return ""
}
