package security

import "strings"

// protocol is what security.protocol says.
type protocol struct {
	name      string
	sasl, tls bool
}

var protocols = []protocol{
	{name: "PLAINTEXT"},
	{name: "SSL", tls: true},
	{name: "SASL_PLAINTEXT", sasl: true},
	{name: "SASL_SSL", sasl: true, tls: true},
}

// readProtocol reads security.protocol and compares what else is set with it.
func readProtocol(v *values) (protocol, error) {
	const property = "security.protocol"
	name := strings.ToUpper(v.get(property))
	if name == "" {
		name = "PLAINTEXT"
	}
	for _, p := range protocols {
		if p.name != name {
			continue
		}
		if given := v.given("sasl."); !p.sasl && len(given) > 0 {
			list := strings.Join(given, ", ")
			if !v.has(property) {
				return p, v.errorf(property, "it is not set, which means PLAINTEXT, but %s is; set it to SASL_SSL, or to SASL_PLAINTEXT for brokers without TLS", list)
			}
			v.warn("with %s=%s brokers are not shown who this is, and these have no effect: %s", v.called(property), name, list)
		}
		if given := v.given("ssl."); !p.tls && len(given) > 0 {
			// They may be meant for listeners, which had them under the same names.
			v.warn("%s is %s, so connections are in the clear, and these have no effect: %s; SSL and SASL_SSL use them",
				v.called(property), name, strings.Join(given, ", "))
		}
		return p, nil
	}
	return protocol{}, v.errorf(property, "%q is not one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL", v.get(property))
}
