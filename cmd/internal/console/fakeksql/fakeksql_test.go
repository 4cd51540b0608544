package fakeksql

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/client"
)

// TestTheFakeSpeaksTheContract reads its answers with the real client.
func TestTheFakeSpeaksTheContract(t *testing.T) {
	server := New()
	defer server.Close()
	c, err := client.New(client.Config{URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()

	entities, err := c.Execute(ctx, client.Request{SQL: "CREATE STREAM a; SHOW STREAMS; DESCRIBE TABLES; INSERT INTO a VALUES (1);"})
	if err != nil || len(entities) != 3 || entities[0].Type() != "currentStatus" || entities[1].Type() != "streams" {
		t.Errorf("entities %v, %v", entities, err)
	}
	var failed *client.Error
	if _, err = c.Execute(ctx, client.Request{SQL: "CREATE STREAM a;\n BAD;"}); !errors.As(err, &failed) || failed.Code != api.CodeBadStatement || len(failed.Entities) != 1 {
		t.Errorf("error %v", err)
	}
	for sql, want := range map[string]int{"SELECT 1;": 2, "SELECT 1 EMIT CHANGES LIMIT 5;": 5} {
		rows, err := c.Query(ctx, client.Request{SQL: sql})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, ok := rows.Next(); ok; _, ok = rows.Next() {
			n++
		}
		if n != want || rows.Err() != nil {
			t.Errorf("%s: %d rows, %v", sql, n, rows.Err())
		}
	}
	if got := server.SQL(); len(got) != 4 {
		t.Errorf("requests %q", got)
	}
}
