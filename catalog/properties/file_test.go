package properties

import (
	"maps"
	"testing"
)

func TestParseFile(t *testing.T) {
	got, err := ParseFile("# c\n! c\na=b\n  c : d e \nf g\nlong=one,\\\n   two\numl\\u00e4ut=x\\ty\\\\\nk\\=ey=v\nempty\r\nlast=1")
	want := map[string]string{"a": "b", "c": "d e ", "f": "g", "long": "one,two", "umläut": "x\ty\\", "k=ey": "v", "empty": "", "last": "1"}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := ParseFile("a=\\u12"); err == nil {
		t.Error("a broken escape was taken")
	}
}

func FuzzParseFile(f *testing.F) {
	f.Add("a=b\\\nc\\u0041")
	f.Fuzz(func(_ *testing.T, text string) { _, _ = ParseFile(text) })
}
