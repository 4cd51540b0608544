package exec_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/exec/state"
)

// A push query's limit may lie among the rows that one record becomes.
func TestPushQueryWithTableFunctions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sql("CREATE STREAM l (line STRING) WITH (KAFKA_TOPIC='l', VALUE_FORMAT='JSON', PARTITIONS=1);")
	x := w.executor("a", state.NewMemFS())
	w.produce("l", 0, 3, func(i int) (key, value string) { return "", fmt.Sprintf(`{"LINE":"a%d b c"}`, i) })
	sub, err := x.Subscribe(t.Context(), exec.SubscribeSpec{
		Plan:       w.sql("SELECT UCASE(EXPLODE(SPLIT(line, ' '))) AS word, EXPLODE(ARRAY[1, 2]) AS n FROM l EMIT CHANGES LIMIT 5;"),
		Properties: map[string]string{"auto.offset.reset": "earliest"},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for {
		row, err := sub.Next(t.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(row.Values[0], " ", row.Values[1]))
	}
	if want := "[A0 1 B 2 C <nil> A1 1 B 2]"; fmt.Sprint(got) != want || !sub.LimitReached() {
		t.Errorf("%v, want %s", got, want)
	}
}
