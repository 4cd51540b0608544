package apply

import (
	"strings"
	"testing"
)

func TestStatementsComeAfterWhatTheyUse(t *testing.T) {
	steps, skipped, err := Plan([]File{
		{"a.sql", "CREATE TABLE t AS SELECT id, COUNT(*) AS n FROM s GROUP BY id; SELECT * FROM t;"},
		{"b.sql", "INSERT INTO s SELECT * FROM r; SET 'auto.offset.reset'='earliest'; CREATE STREAM s (id INT KEY, p point) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');"},
		{"c.sql", "DEFINE tp='r'; CREATE STREAM r (id INT KEY) WITH (KAFKA_TOPIC='${tp}', VALUE_FORMAT='JSON'); CREATE TYPE point AS STRUCT<x INT>;"},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range steps {
		got = append(got, strings.Trim(s.Creates+">"+s.Writes, ">"))
	}
	if want := "type POINT S T R S"; strings.Join(got, " ") != want {
		t.Errorf("order %q, want %q", strings.Join(got, " "), want)
	}
	if len(skipped) != 1 || !strings.HasPrefix(skipped[0].SQL, "SELECT") {
		t.Errorf("skipped %v", skipped)
	}
	if steps[1].Properties["auto.offset.reset"] != "earliest" {
		t.Errorf("SET did not reach the statement after it: %v", steps[1].Properties)
	}
	if !strings.Contains(steps[3].SQL, "'r'") {
		t.Errorf("the variable was not substituted: %s", steps[3].SQL)
	}
}

func TestPlanRefuses(t *testing.T) {
	for name, test := range map[string]struct{ sql, want string }{
		"cycle":  {"CREATE STREAM a AS SELECT * FROM b; CREATE STREAM b AS SELECT * FROM a;", "need each other"},
		"twice":  {"CREATE STREAM a AS SELECT * FROM x; CREATE STREAM a AS SELECT * FROM y;", "created twice"},
		"drop":   {"DROP STREAM a;", "cannot be applied twice"},
		"syntax": {"CREATE STREM a;", "f.sql: line 1:8: Syntax Error"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := Plan([]File{{"f.sql", test.sql}})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

func TestSameDefinition(t *testing.T) {
	for _, test := range []struct {
		file, force string
		want        bool
	}{
		{"CREATE STREAM s (id INT KEY) WITH (kafka_topic='s', value_format='json');",
			"CREATE STREAM S (ID INTEGER KEY) WITH (CLEANUP_POLICY='delete', KAFKA_TOPIC='s', KEY_FORMAT='KAFKA', VALUE_FORMAT='JSON');", true},
		{"CREATE STREAM s (id INT KEY) WITH (kafka_topic='s', value_format='json');",
			"CREATE STREAM S (ID BIGINT KEY) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');", false},
		{"CREATE TABLE IF NOT EXISTS t AS SELECT id, COUNT(*) AS n FROM s GROUP BY id EMIT CHANGES;",
			"CREATE TABLE T WITH (KAFKA_TOPIC='T') AS SELECT ID, COUNT(*) N FROM S S GROUP BY ID EMIT CHANGES;", true},
		{"CREATE TABLE t AS SELECT id, COUNT(*) AS n FROM s WHERE id > 1 GROUP BY id;",
			"CREATE TABLE T AS SELECT ID, COUNT(*) N FROM S S GROUP BY ID;", false},
	} {
		steps, _, err := Plan([]File{{"f.sql", test.file}})
		if err != nil {
			t.Fatal(err)
		}
		if got := sameDefinition(steps[0].Statement, test.force); got != test.want {
			t.Errorf("%s\n%s\nsame: %v", test.file, test.force, got)
		}
	}
}
