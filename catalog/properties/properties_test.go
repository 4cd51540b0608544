package properties

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestGolden shows every property, so that a change of one is seen in review. UPDATE_GOLDEN=1 writes the file.
func TestGolden(t *testing.T) {
	var b strings.Builder
	for _, p := range All() {
		fmt.Fprintf(&b, "%s\t%s\t%v\t%q\n", p.Name, p.Level(), [...]string{"TEXT", "INTEGER", "BOOLEAN", "CHOICE"}[p.Kind], p.Default)
	}
	const file = "testdata/properties.txt"
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("the properties have changed; UPDATE_GOLDEN=1 go test writes %s\n%s", file, b.String())
	}
}

func TestRows(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range rows {
		if seen[p.Name] {
			t.Errorf("%s stands twice", p.Name)
		}
		seen[p.Name] = true
		if !strings.HasSuffix(p.Doc, ".") {
			t.Errorf("%s: %q is no sentence", p.Name, p.Doc)
		}
		if Normalize(p.Name) != p.Name {
			t.Errorf("%s is not normal", p.Name)
		}
		if p.Default != "" {
			if got, err := Check(p.Name, p.Default); err != nil || got != p.Default {
				t.Errorf("%s: its default %q is refused: %v", p.Name, p.Default, err)
			}
		}
	}
}

func TestOverride(t *testing.T) {
	for _, c := range []struct{ name, value, wantName, wantValue, wantErr string }{
		{"auto.offset.reset", "earliest", "auto.offset.reset", "earliest", ""},
		{"ksql.streams.auto.offset.reset", "Latest", "auto.offset.reset", "latest", ""},
		{"ksql.streams.producer.linger.ms", " 5 ", "linger.ms", "5", ""},
		{"ksql.streams.statestore.cache.max.bytes", "0", "cache.max.bytes.buffering", "0", ""},
		{"auto.offset.reset", "none", "", "", "String must be one of: earliest, latest"},
		{"commit.interval.ms", "soon", "", "", "Not a number"},
		{"commit.interval.ms", "0", "", "", "at least 1"},
		{"ksql.suppress.enabled", "yes", "", "", "either true or false"},
		{"ksql.service.id", "x", "", "", "Cannot override property 'ksql.service.id'"},
		{"auto.ofset.reset", "latest", "", "", "Did you mean 'auto.offset.reset'?"},
		{"no.such.thing.at.all", "1", "", "", "Not recognizable as ksql, streams, consumer, or producer property: 'no.such.thing.at.all'"},
	} {
		name, value, err := Override(c.name, c.value)
		switch {
		case c.wantErr == "" && (err != nil || name != c.wantName || value != c.wantValue):
			t.Errorf("Override(%q, %q) = %q, %q, %v", c.name, c.value, name, value, err)
		case c.wantErr != "" && (err == nil || !strings.Contains(err.Error(), c.wantErr)):
			t.Errorf("Override(%q, %q): error %v, want %q", c.name, c.value, err, c.wantErr)
		}
	}
}

func TestValue(t *testing.T) {
	set := map[string]string{"commit.interval.ms": "7", "ksql.suppress.enabled": "false"}
	if Int(set, "ksql.streams.commit.interval.ms") != 7 || Int(nil, "commit.interval.ms") != 100 {
		t.Error("Int")
	}
	if Bool(set, "ksql.suppress.enabled") || !Bool(nil, "ksql.suppress.enabled") {
		t.Error("Bool")
	}
}

func TestCheckDenied(t *testing.T) {
	server := map[string]string{"ksql.properties.overrides.denylist": "processing.guarantee, ksql.streams.commit.interval.ms"}
	if err := CheckDenied(server, []string{"auto.offset.reset"}); err != nil {
		t.Error(err)
	}
	err := CheckDenied(server, []string{"ksql.streams.processing.guarantee", "auto.offset.reset", "commit.interval.ms"})
	if err == nil || !strings.HasSuffix(err.Error(), "[commit.interval.ms, ksql.streams.processing.guarantee]") {
		t.Error(err)
	}
	if CheckDenied(nil, []string{"x"}) != nil {
		t.Error("no list denies nothing")
	}
}
