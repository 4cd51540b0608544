package avro

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	twmb "github.com/twmb/avro"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// FuzzDecode reads any bytes with random schemas. What the other library refuses as broken we must not read, and what it
// reads in full we must read as well.
func FuzzDecode(f *testing.F) {
	for seed := range uint64(40) {
		r := &sampler{Rand: rand.New(rand.NewPCG(13, seed))}
		s := r.record(2, 1+r.IntN(4))
		native, _ := s.value()
		f.Add(seed, written(f, s.text, native))
	}
	f.Fuzz(func(t *testing.T, seed uint64, data []byte) {
		r := &sampler{Rand: rand.New(rand.NewPCG(13, seed))}
		s := r.record(2, 1+r.IntN(4))
		library, err := twmb.Parse(s.text)
		if err != nil {
			t.Skip("the library does not take this schema, so there is nothing to compare with:", err)
		}
		reg, header := registered(t, s.text)
		columns, err := New(reg).Columns(avroSchema(s.text), nil, false, "")
		if err != nil {
			t.Fatalf("%s: %v", s.text, err)
		}
		spec, l := specOf(columns)
		dec, _ := New(reg).NewDecoder(spec)
		row := l.NewRow()
		record := append(bytes.Clone(header), data...)
		got := dec.Decode(record, row)
		var v any
		rest, want := library.Decode(data, &v)
		if want == nil && len(rest) == 0 && got != nil && !allowed(got) {
			t.Fatalf("%s\n% x: %v, but the library reads %v", s.text, data, got, v)
		}
		if got == nil && want != nil && !lenient(want) {
			t.Fatalf("%s\n% x: read, but the library says %v", s.text, data, want)
		}
		// Without the columns it is all skipped.
		spec.Locs = make([]types.Loc, len(columns))
		dec, _ = New(reg).NewDecoder(spec)
		if err := dec.Decode(record, row); err != nil && got == nil {
			t.Fatalf("%s\n% x: cannot be skipped: %v", s.text, data, err)
		}
	})
}

// allowed says whether an error is one that only our types have.
func allowed(err error) bool {
	for _, text := range []string{"no TIME of a day", "Cannot fit decimal", "a decimal has no bytes", "is null"} {
		if strings.Contains(err.Error(), text) {
			return true
		}
	}
	return false
}

// lenient says whether we may read what the other library refuses with an error: its bound of items without bytes is lower.
func lenient(err error) bool { return strings.Contains(err.Error(), "zero-byte items") }

// FuzzSchema reads any text as a schema, and any bytes with it.
func FuzzSchema(f *testing.F) {
	for seed := range uint64(20) {
		r := &sampler{Rand: rand.New(rand.NewPCG(14, seed))}
		s := r.record(2, 1+r.IntN(4))
		native, _ := s.value()
		f.Add(s.text, written(f, s.text, native))
	}
	f.Fuzz(func(t *testing.T, text string, data []byte) {
		reg, header := registered(t, text)
		for _, unwrapped := range []bool{false, true} {
			columns, err := New(reg).Columns(avroSchema(text), nil, unwrapped, "")
			if err != nil {
				continue
			}
			if unwrapped {
				columns[0].Name = "C"
			}
			spec, l := specOf(columns)
			spec.Unwrapped = unwrapped
			dec, err := New(reg).NewDecoder(spec)
			if err != nil {
				continue
			}
			row := l.NewRow()
			if dec.Decode(append(bytes.Clone(header), data...), row) != nil {
				continue
			}
			// What was read can be written and read again.
			enc, err := New(reg).NewEncoder(spec)
			if err != nil {
				t.Fatal(err)
			}
			out, isNull, err := enc.Append(nil, row)
			if err != nil || isNull {
				if err != nil {
					t.Fatalf("%s\n% x: %v", text, data, err)
				}
				continue
			}
			again := l.NewRow()
			if err := dec.Decode(out, again); err != nil {
				t.Fatalf("%s\n% x: %v", text, out, err)
			}
			for i, c := range columns {
				if got, want := again.Boxed(l.Locs[i], c.Type), row.Boxed(l.Locs[i], c.Type); !types.EqualBoxed(got, want) {
					t.Fatalf("%s\n% x: column %s is %v, was %v", text, data, c.Name, got, want)
				}
			}
		}
	})
}
