package repl

import (
	"slices"
	"strings"
	"testing"
)

func testCatalog() *Catalog {
	return &Catalog{
		Sources: []Source{
			{"ORDERS", "STREAM", []Column{{"ORDER_ID", "BIGINT"}, {"amount", "DOUBLE"}}},
			{"USERS", "TABLE", []Column{{"USER_ID", "STRING"}, {"NAME", "STRING"}}},
			{"Mixed", "STREAM", nil},
		},
		Functions:  []Function{{"ABS", "MATHEMATICAL"}, {"AVG", "AGGREGATE"}},
		Properties: []string{"auto.offset.reset", "ksql.streams.x"},
		Topics:     []string{"orders-in", "users"},
		Queries:    []string{"CSAS_A_1"},
	}
}

func TestComplete(t *testing.T) {
	tests := []struct {
		text         string
		want, absent string // words apart by blanks
	}{
		{"", "", "SELECT help"},
		{"sel", "select", "ABS"},
		{"SEL", "SELECT", "select"},
		{"he", "help", ""},
		{"cs", "CREATE·STREAM", ""},
		{"SELECT * FROM ", "ORDERS USERS `Mixed`", "ABS SELECT"},
		{"select * from o", "orders", "users ORDERS"},
		{"SELECT * FROM M", "`Mixed`", ""},
		{"SELECT * FROM `M", "`Mixed`", ""},
		{"INSERT INTO U", "USERS", "ORDERS"},
		{"SELECT a FROM ORDERS WHERE O", "ORDER_ID ORDERS OR", "USER_ID"},
		{"SELECT a FROM ORDERS WHERE am", "`amount`", ""},
		{"SELECT U", "USER_ID USERS", ""},
		{"SELECT A", "ABS AVG AS", "`amount`x"},
		{"SELECT x.", "", "USER_ID"},
		{"SELECT USERS.", "USER_ID NAME", "ABS"},
		{"SELECT * FROM ORDERS o JOIN USERS AS u ON u.", "USER_ID NAME", "ORDER_ID"},
		{"SELECT * FROM ORDERS o JOIN USERS AS u ON o.o", "order_id", "user_id"},
		{"DROP TABLE ", "USERS", "ORDERS"},
		{"DROP STREAM ", "ORDERS `Mixed`", "USERS"},
		{"DESCRIBE ", "ORDERS USERS FUNCTION", ""},
		{"DESCRIBE FUNCTION a", "abs avg", "orders"},
		{"PRINT ", "orders-in users", "USERS"},
		{"TERMINATE C", "CSAS_A_1", ""},
		{"SET 'auto", "auto.offset.reset", "ksql.streams.x"},
		{"SET '", "auto.offset.reset ksql.streams.x", ""},
		{"UNSET 'k", "ksql.streams.x", ""},
		{"SET 'auto.offset.reset'='e", "earliest", "latest"},
		{"CREATE STREAM x (a INT) WITH (KAFKA_TOPIC='o", "orders-in", "users"},
		{"SELECT 'x", "", "ABS"},
		{"SELECT 1; sh", "show", ""},
		{"SELECT 1;\n-- sel", "", "select"},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			var got []string
			for _, s := range complete(test.text, testCatalog(), []string{"help", "exit"}).suggestions {
				got = append(got, strings.ReplaceAll(s.text, " ", "·"))
			}
			for _, word := range strings.Fields(test.want) {
				if !slices.Contains(got, word) {
					t.Errorf("%s is missing in %q", word, got)
				}
			}
			for _, word := range strings.Fields(test.absent) {
				if slices.Contains(got, word) {
					t.Errorf("%s should not be in %q", word, got)
				}
			}
		})
	}
}

func FuzzComplete(f *testing.F) {
	f.Add("SELECT a.b FROM ORDERS o JOIN USERS u ON o.")
	f.Add("SET 'a'='")
	f.Add("DROP TABLE")
	catalog := testCatalog()
	f.Fuzz(func(t *testing.T, text string) {
		complete(text, catalog, []string{"help"})
		highlight("", lineText(text))
		highlight(text, "x")
	})
}

func TestHighlightKeepsTheText(t *testing.T) {
	for _, text := range []string{"SELECT 'a' -- b", "  SELECT\tx", "it's", "`q` 1.5 ${v}", "日本 'é", "a\x1bb"} {
		line := lineText(text)
		painted := highlight("", line)
		for strings.Contains(painted, "\x1b[") {
			start := strings.Index(painted, "\x1b[")
			end := start + strings.IndexByte(painted[start:], 'm') + 1
			painted = painted[:start] + painted[end:]
		}
		if painted != visible(line) {
			t.Errorf("%q is painted %q", text, painted)
		}
	}
	if got := highlight("SELECT 'open\n", "still' x"); !strings.HasPrefix(got, "\x1b[32mstill'\x1b[0m") {
		t.Errorf("a string over two lines: %q", got)
	}
}
