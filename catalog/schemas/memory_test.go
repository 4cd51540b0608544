package schemas_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/catalog/schemas"
)

// TestMemory holds how numbers and versions come about: the lines say what was done and what was answered.
func TestMemory(t *testing.T) {
	var m schemas.Memory
	var told strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&told, format+"\n", args...) }
	text := func(s string) schemas.Schema { return schemas.Schema{Kind: schemas.Avro, Text: s} }
	register := func(subject, s string) {
		id, err := m.Register(subject, text(s))
		say("%s: %s is %d %v", subject, s, id, err)
	}
	list := func(subject string) {
		for _, v := range m.Versions(subject) {
			say("  %s %d = %d %s deleted=%v", v.Subject, v.Version, v.ID, v.Text, v.Deleted)
		}
		latest, err := m.Latest(subject)
		say("  latest %d, %v", latest.Version, err)
	}
	byID := func(id int) {
		s, err := m.ByID(id)
		say("%d: %q %v", id, s.Text, err)
	}
	register("a", "x")
	register("b", "y")
	register("b", "x")
	register("b", "y")
	list("b")
	say("delete b: %v, delete none: %v", m.Delete("b"), m.Delete("none"))
	list("b")
	byID(2)
	register("b", "y")
	list("b")
	m.Remove("b", 1)
	byID(2)
	m.Remove("b", 3)
	byID(2)
	register("b", "z")
	list("b")
	say("put: %v", m.Put(schemas.Version{Registered: schemas.Registered{Schema: text("other"), Subject: "c", Version: 1, ID: 1}}))
	say("put: %v", m.Put(schemas.Version{Registered: schemas.Registered{Schema: text("far"), Subject: "c", Version: 5, ID: 100}}))
	say("put: %v", m.Put(schemas.Version{Registered: schemas.Registered{Schema: text("near"), Subject: "c", Version: 5, ID: 50}}))
	byID(100)
	register("c", "new")
	list("c")
	say("subjects %v, last %d, all %d", m.Subjects(), m.LastID(), len(m.All()))
	m.Remove("none", 1)
	m.Remove("c", 77)

	const want = `a: x is 1 <nil>
b: y is 2 <nil>
b: x is 1 <nil>
b: y is 2 <nil>
  b 1 = 2 y deleted=false
  b 2 = 1 x deleted=false
  latest 2, <nil>
delete b: <nil>, delete none: <nil>
  b 1 = 2 y deleted=true
  b 2 = 1 x deleted=true
  latest 0, Subject 'b' not found
2: "y" <nil>
b: y is 2 <nil>
  b 1 = 2 y deleted=true
  b 2 = 1 x deleted=true
  b 3 = 2 y deleted=false
  latest 3, <nil>
2: "y" <nil>
2: "" Schema 2 not found
b: z is 3 <nil>
  b 2 = 1 x deleted=true
  b 3 = 3 z deleted=false
  latest 3, <nil>
put: version 1 of subject 'c' has the number 1, which is another schema's
put: <nil>
put: <nil>
100: "" Schema 100 not found
c: new is 101 <nil>
  c 5 = 50 near deleted=false
  c 6 = 101 new deleted=false
  latest 6, <nil>
subjects [a b c], last 101, all 5
`
	if told.String() != want {
		t.Errorf("got\n%s", told.String())
	}
}

// TestTheSameSchemaUnderTwoNumbers is what a log that was put together from others may hold.
func TestTheSameSchemaUnderTwoNumbers(t *testing.T) {
	var m schemas.Memory
	s := schemas.Schema{Kind: schemas.Avro, Text: "x"}
	for id := 1; id <= 2; id++ {
		v := schemas.Version{Registered: schemas.Registered{Schema: s, Subject: fmt.Sprint("s", id), Version: 1, ID: id}}
		if err := m.Put(v); err != nil {
			t.Fatal(err)
		}
	}
	if id, ok := m.IDOf(s); id != 1 || !ok {
		t.Errorf("got %d, %v", id, ok)
	}
	m.Remove("s1", 1)
	if id, ok := m.IDOf(s); id != 2 || !ok {
		t.Errorf("after the first is removed: %d, %v", id, ok)
	}
	m.Remove("s2", 1)
	if id, ok := m.IDOf(s); ok {
		t.Errorf("after both are removed: %d", id)
	}
}
