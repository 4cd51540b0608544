package engine

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func TestCoerce(t *testing.T) {
	address := types.StructOf(types.Field{Name: "CITY", Type: types.StringType}, types.Field{Name: "zip", Type: types.IntType})
	tests := []struct {
		t    *types.Type
		json string
		want string // as fmt prints it, or the error
	}{
		{types.IntType, `1`, "1"},
		{types.IntType, `null`, "<nil>"},
		{types.IntType, `2147483648`, "error: Can't coerce a field of type Number into type INTEGER"},
		{types.IntType, `1.5`, "error: Can't coerce a field of type Number into type INTEGER"},
		{types.IntType, `"1"`, "error: Can't coerce a field of type String into type INTEGER"},
		{types.BigintType, `9223372036854775807`, "9223372036854775807"},
		{types.DoubleType, `1`, "1"},
		{types.DoubleType, `1e400`, "error: Can't coerce a field of type Number into type DOUBLE"},
		{types.DecimalOf(4, 2), `1.5`, "1.50"},
		{types.DecimalOf(4, 2), `"1.5"`, "1.50"},
		{types.DecimalOf(4, 2), `"x"`, "error: Can't coerce a field of type String into type DECIMAL(4, 2)"},
		{types.BooleanType, `true`, "true"},
		{types.BooleanType, `1`, "error: Can't coerce a field of type Number into type BOOLEAN"},
		{types.StringType, `"a"`, "a"},
		{types.StringType, `{}`, "error: Can't coerce a field of type Object into type STRING"},
		{types.BytesType, `"AP8="`, "[0 255]"},
		{types.BytesType, `"%"`, "error: Can't coerce a field of type String into type BYTES"},
		{types.ArrayOf(types.IntType), `[1, null]`, "[1 <nil>]"},
		{types.ArrayOf(types.IntType), `[true]`, "error: Can't coerce a field of type Boolean into type INTEGER"},
		{types.ArrayOf(types.IntType), `1`, "error: Can't coerce a field of type Number into type ARRAY<INTEGER>"},
		{address, "{\"city\":\"x\",\"`zip`\":1}", "[x 1]"},
		{address, `{"CITY":"x"}`, "[x <nil>]"},
		{types.DateType, `"2024-05-01"`, "19844"},
		{types.TimestampType, `"2024-05-01T12:30:00"`, "1714566600000"},
	}
	for _, tt := range tests {
		t.Run(tt.t.String()+" "+tt.json, func(t *testing.T) {
			v, err := coerce(json.RawMessage(tt.json), tt.t)
			got := fmt.Sprint(v)
			switch x := v.(type) {
			case types.DateValue:
				got = fmt.Sprint(int64(x))
			case types.TimestampValue:
				got = fmt.Sprint(int64(x))
			}
			if err != nil {
				got = "error: " + err.Error()
			}
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestNamesOutsideSQL(t *testing.T) {
	for text, want := range map[string]string{"orders": "ORDERS", "`orders`": "orders", "``": "", "`": "`", "": ""} {
		if got := sourceName(text); got != want {
			t.Errorf("source %q: %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{"id": "ID", "`id`": "id", `"id"`: "id", `"id`: `"ID`} {
		if got := columnName(text); got != want {
			t.Errorf("column %q: %q, want %q", text, got, want)
		}
	}
}
