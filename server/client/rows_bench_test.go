package client

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
)

// BenchmarkRows reads rows of a pull query that are there already.
func BenchmarkRows(b *testing.B) {
	const row = ",\n{\"row\":{\"columns\":[123456,\"some text of a row\",1.5,null,{\"A\":[1,2,3]}]}}"
	body := io.MultiReader(
		strings.NewReader("[{\"header\":{\"queryId\":\"q\",\"schema\":\"`A` BIGINT\"}}"),
		strings.NewReader(strings.Repeat(row, b.N)), strings.NewReader("]"))
	rows, err := newRows(context.Background(), &http.Response{Body: io.NopCloser(body)}, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(row)))
	b.ReportAllocs()
	b.ResetTimer()
	n := 0
	for _, ok := rows.Next(); ok; _, ok = rows.Next() {
		n++
	}
	if n != b.N || rows.Err() != nil {
		b.Fatalf("%d rows of %d, %v", n, b.N, rows.Err())
	}
}
