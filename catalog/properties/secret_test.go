package properties

import (
	"maps"
	"testing"
)

func TestSecrets(t *testing.T) {
	for name, want := range map[string]bool{
		"sasl.jaas.config":                               true,
		"ksql.streams.producer.sasl.jaas.config":         true,
		"admin.ssl.keystore.key":                         true,
		"ssl.keystore.password":                          true,
		"listener.name.internal.ssl.key.password":        true,
		"ksql.schema.registry.basic.auth.user.info":      true,
		"ksql.schema.registry.ssl.truststore.password":   true,
		"my.own.API.KEY":                                 true,
		"ssl.keystore.location":                          false,
		"sasl.username":                                  false,
		"ksql.query.pull.consistency.token":              false,
		"ksql.streams.ksql.query.pull.consistency.token": false,
		"auto.offset.reset":                              false,
		"ksql.persistence.default.format.key":            false,
		"some.property.of.somebody":                      false,
	} {
		if IsSecret(name) != want {
			t.Errorf("%s is secret: %v", name, !want)
		}
	}
	if Show("sasl.password", "x") != Hidden || Show("sasl.password", "") != "" || Show("sasl.username", "x") != "x" {
		t.Error("Show")
	}
}

func TestOfQuery(t *testing.T) {
	in := map[string]string{"auto.offset.reset": "earliest", "sasl.password": "x", "ksql.service.id": "y", "ksql.functions.mine.limit": "3", "mine.password": "z"}
	want := map[string]string{"auto.offset.reset": "earliest", "ksql.functions.mine.limit": "3"}
	if got := OfQuery(in); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := Shown(in); got["sasl.password"] != Hidden || got["mine.password"] != Hidden || got["ksql.service.id"] != "y" || in["sasl.password"] != "x" {
		t.Errorf("shown %v, left %v", got, in)
	}
}

func TestNormalizeAll(t *testing.T) {
	got := NormalizeAll(map[string]string{"zz": "1", "ksql.streams.zz": "2", "consumer.b": "3", "ksql.streams.b": "4", "producer.a": "5"})
	if want := map[string]string{"zz": "1", "b": "3", "a": "5"}; !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
