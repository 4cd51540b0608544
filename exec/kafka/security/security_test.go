package security

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/catalog/properties"
)

// parse reads properties, one a line, and gives what was warned of besides.
func parse(t *testing.T, text string) (*Settings, string, error) {
	t.Helper()
	read, err := properties.ParseFile(text)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	s, err := Read(read, slog.New(slog.NewTextHandler(&log, nil)))
	return s, log.String(), err
}

const (
	plainLogin = `sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="alice" password="s3cret";` + "\n"
	scramLogin = `sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="alice" password="s3cret";` + "\n"
)

func TestRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		// want is what the settings say of themselves, err a part of the error, warns parts of warnings.
		want, err string
		warns     []string
	}{
		"nothing":      {text: "", want: "PLAINTEXT"},
		"other things": {text: "auto.offset.reset=earliest\nksql.internal.ssl.ca.location=/nowhere\n", want: "PLAINTEXT"},
		"plain":        {text: "security.protocol=plaintext\n", want: "PLAINTEXT"},
		"TLS alone":    {text: "security.protocol=ssl\n", want: "SSL"},
		"PLAIN":        {text: "security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\n" + plainLogin, want: "SASL_SSL (PLAIN)"},
		"SCRAM":        {text: "security.protocol=sasl_ssl\nsasl.mechanism=scram-sha-512\n" + scramLogin, want: "SASL_SSL (SCRAM-SHA-512)"},
		"librdkafka": {text: "security.protocol=sasl_plaintext\nsasl.mechanisms=SCRAM-SHA-256\nsasl.username=alice\nsasl.password=s3cret\n",
			want: "SASL_PLAINTEXT (SCRAM-SHA-256)"},
		"both ways to say who": {text: "security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.username=alice\nsasl.password=s3cret\n" + plainLogin,
			want: "SASL_SSL (PLAIN)"},
		"in the clear": {text: "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\n" + plainLogin, want: "SASL_PLAINTEXT (PLAIN)",
			warns: []string{"the password crosses the network in the clear"}},
		"the other module": {text: "security.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-256\n" + plainLogin, want: "SASL_SSL (SCRAM-SHA-256)",
			warns: []string{"login module of PLAIN, but SCRAM-SHA-256 is used"}},
		"prefixes": {text: "ksql.streams.security.protocol=SASL_SSL\nksql.streams.producer.sasl.mechanism=PLAIN\nadmin." + plainLogin, want: "SASL_SSL (PLAIN)"},
		"prefixes that disagree": {text: "security.protocol=SSL\nksql.streams.security.protocol=PLAINTEXT\nproducer.security.protocol=SSL\n", want: "SSL",
			warns: []string{"security.protocol and ksql.streams.security.protocol have different values; all connections use that of security.protocol"}},
		"the plain one is empty": {text: "security.protocol=SSL\nssl.endpoint.identification.algorithm=\nadmin.ssl.endpoint.identification.algorithm=https\n", want: "SSL",
			warns: []string{"is empty: a broker's certificate counts whatever host it is for", "have different values"}},
		"without effect": {text: "security.protocol=SSL\nssl.cipher.suites=x\nsasl.kerberos.service.name=kafka\nssl.client.auth=required\n", want: "SSL",
			warns: []string{"without effect on connections to Kafka: sasl.kerberos.service.name, ssl.cipher.suites, ssl.client.auth"}},
		"store without protocol": {text: "ssl.truststore.location=/nowhere\n", want: "PLAINTEXT",
			warns: []string{"security.protocol is PLAINTEXT, so connections are in the clear", "ssl.truststore.location"}},
		"login with TLS alone": {text: "security.protocol=SSL\n" + plainLogin, want: "SSL", warns: []string{"brokers are not shown who this is", "sasl.jaas.config"}},
		"old versions too": {text: "security.protocol=SSL\nssl.enabled.protocols=TLSv1.1,TLSv1.2\n", want: "SSL",
			warns: []string{"not spoken, since they are not safe: TLSv1.1"}},
		"password without store": {text: "security.protocol=SSL\nssl.truststore.password=x\nssl.key.password=s3cret\n", want: "SSL",
			warns: []string{"ssl.truststore.password has no effect without ssl.truststore.location", "ssl.key.password has no effect"}},

		"no such protocol":     {text: "security.protocol=TLS\n", err: `security.protocol: "TLS" is not one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL`},
		"login without proto":  {text: plainLogin, err: "security.protocol: it is not set, which means PLAINTEXT, but sasl.jaas.config is"},
		"no mechanism":         {text: "security.protocol=SASL_SSL\n" + plainLogin, err: "sasl.mechanism: it is not set, which means GSSAPI (Kerberos), and that is not supported"},
		"Kerberos":             {text: "security.protocol=SASL_SSL\nsasl.mechanism=GSSAPI\n", err: `sasl.mechanism: "GSSAPI" is not supported; it may be one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512`},
		"OAuth":                {text: "security.protocol=SASL_SSL\nsasl.mechanism=OAUTHBEARER\n", err: `"OAUTHBEARER" is not supported`},
		"mechanisms differ":    {text: "security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.mechanisms=SCRAM-SHA-256\n", err: "sasl.mechanism and sasl.mechanisms differ"},
		"no login":             {text: "security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\n", err: "sasl.jaas.config: it is not set"},
		"no user":              {text: "security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.password=s3cret\n", err: "sasl.username: it is not set"},
		"no password":          {text: "security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.username=u\n", err: "sasl.password: it is not set"},
		"no password in JAAS":  {text: "security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username=u;\n", err: "sasl.jaas.config: it has no password"},
		"no end of JAAS":       {text: "security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\n" + strings.ReplaceAll(plainLogin, ";", ""), err: "sasl.jaas.config: at character"},
		"another module":       {text: "security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.jaas.config=com.sun.security.auth.module.Krb5LoginModule required;\n", err: "its login module is not supported; PLAIN needs org.apache"},
		"token":                {text: "security.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-256\n" + strings.ReplaceAll(scramLogin, `";`, `" tokenauth=true;`), err: "delegation tokens (tokenauth) are not supported"},
		"two users":            {text: "security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.username=bob\n" + plainLogin, err: "sasl.jaas.config and sasl.username name different users or passwords"},
		"to be provided":       {text: "security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.username=u\nksql.streams.sasl.password=${file:/run/secrets:pw}\n", err: "ksql.streams.sasl.password: the value is to come from a configuration provider"},
		"algorithm":            {text: "security.protocol=SSL\nssl.endpoint.identification.algorithm=ldaps\n", err: `ssl.endpoint.identification.algorithm: "ldaps" is not https, nor empty`},
		"old versions alone":   {text: "security.protocol=SSL\nssl.enabled.protocols=TLSv1.1\n", err: "ssl.enabled.protocols: TLSv1.2 is the oldest version"},
		"unknown version":      {text: "security.protocol=SSL\nssl.enabled.protocols=TLS1.3\n", err: `ssl.enabled.protocols: "TLS1.3" is not known`},
		"two trust stores":     {text: "security.protocol=SSL\nssl.truststore.location=/a\nssl.ca.location=/b\n", err: "ssl.truststore.location and ssl.ca.location contradict each other"},
		"two key stores":       {text: "security.protocol=SSL\nssl.keystore.location=/a\nssl.certificate.location=/b\nssl.key.location=/c\n", err: "contradict each other"},
		"certificate, no key":  {text: "security.protocol=SSL\nssl.certificate.location=/a\n", err: "ssl.key.location: it is not set; it has the key of the certificate in ssl.certificate.location"},
		"key, no certificate":  {text: "security.protocol=SSL\nssl.keystore.key=s3cret\n", err: "ssl.keystore.key: it is set, but there is no certificate for it in ssl.keystore.certificate.chain"},
		"no such kind":         {text: "security.protocol=SSL\nssl.truststore.location=/a\nssl.truststore.type=BKS\n", err: `ssl.truststore.type: "BKS" is not one of PEM, PKCS12, JKS`},
		"no such file":         {text: "security.protocol=SSL\nssl.truststore.location=/nowhere/trust.jks\n", err: "ssl.truststore.location: /nowhere/trust.jks: it cannot be read: no such file"},
		"no such file, prefix": {text: "security.protocol=SSL\nksql.streams.ssl.ca.location=/nowhere/ca.pem\n", err: "ksql.streams.ssl.ca.location: /nowhere/ca.pem: it cannot be read: no such file"},
		"inline kind":          {text: "security.protocol=SSL\nssl.truststore.certificates=x\nssl.truststore.type=JKS\n", err: "ssl.truststore.type: it is JKS, but ssl.truststore.certificates is PEM"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, warnings, err := parse(t, c.text)
			switch {
			case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
				t.Errorf("error %v, want %q", err, c.err)
			case c.err == "" && err != nil:
				t.Error(err)
			case c.err == "" && s.String() != c.want:
				t.Errorf("settings %s, want %s", s, c.want)
			case c.err == "" && s.SASL != nil && (s.SASL.User != "alice" || s.SASL.Password != "s3cret"):
				t.Errorf("user %q, password %q", s.SASL.User, s.SASL.Password)
			}
			if err != nil && strings.Contains(err.Error(), "s3cret") || strings.Contains(warnings, "s3cret") {
				t.Errorf("a secret is shown: %v\n%s", err, warnings)
			}
			if len(c.warns) == 0 && c.err == "" && warnings != "" {
				t.Errorf("warned of %s", warnings)
			}
			for _, w := range c.warns {
				if !strings.Contains(warnings, w) {
					t.Errorf("warnings do not have %q:\n%s", w, warnings)
				}
			}
		})
	}
}

func TestMentioned(t *testing.T) {
	t.Parallel()
	got := Mentioned(map[string]string{"security.protocol": "SSL", "ksql.streams.admin.sasl.password": "x", "ssl.key.password": " ", "ksql.internal.ssl.ca.location": "x", "a": "b"})
	if strings.Join(got, " ") != "ksql.streams.admin.sasl.password security.protocol" {
		t.Errorf("mentioned %v", got)
	}
}

// What is known here is known to the catalog of properties as well, so that it is shown, and cannot be set by clients.
func TestPropertiesAreInTheCatalog(t *testing.T) {
	t.Parallel()
	for _, name := range names {
		p, ok := properties.Find(name)
		if !ok || p.Scope != properties.Server {
			t.Errorf("%s: in the catalog %v, %+v", name, ok, p)
		}
		if secret := strings.HasSuffix(name, "password") || name == "ssl.keystore.key" || name == "sasl.jaas.config"; p.Secret != secret {
			t.Errorf("%s: secret %v, want %v", name, p.Secret, secret)
		}
		for _, prefix := range prefixes {
			if err := properties.CheckOverride(prefix + name); err == nil {
				t.Errorf("clients may set %s", prefix+name)
			}
			if properties.IsSecret(prefix+name) != p.Secret {
				t.Errorf("%s is secret: %v", prefix+name, !p.Secret)
			}
		}
	}
	for _, p := range properties.All() {
		if isOurs(p.Name) && plain(p.Name) != p.Name {
			t.Errorf("%s has a prefix", p.Name)
		}
	}
}
