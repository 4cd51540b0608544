package engine

import (
	"errors"
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/server/api"
)

// Which topics a deleteTopicList means, of those that are ours and of those that are not.
func TestTopicsToDelete(t *testing.T) {
	t.Parallel()
	s := catalog.Empty()
	for _, src := range []*catalog.Source{
		{Name: "A", Topic: "orders.eu", TopicID: "1"}, {Name: "B", Topic: "orders-eu", TopicID: "2"}, {Name: "C", Topic: "orders", TopicID: "3"},
		{Name: "D", Topic: "given"}, {Name: "E", Topic: "orders"}, {Name: "F", Topic: "TOTALS", TopicID: "4"},
		// One topic was created twice: the first incarnation is gone.
		{Name: "G", Topic: "twice", TopicID: "5"}, {Name: "H", Topic: "twice", TopicID: "6"},
	} {
		s = s.WithSource(src)
	}
	for list, want := range map[string]string{
		"":                    "",
		"orders":              "orders/3",
		"TOTALS":              "TOTALS/4",
		"totals":              "; none totals",
		"orders.eu":           "orders.eu/1",
		"orders.e.":           "orders-eu/2 orders.eu/1",
		"orders.*":            "orders/3 orders-eu/2 orders.eu/1",
		"order":               "; none order",
		"given":               "; stays given",
		".*":                  "TOTALS/4 orders/3 orders-eu/2 orders.eu/1 twice/5 twice/6; stays given",
		"twice,orders,twice":  "orders/3 twice/5 twice/6",
		"(?i)totals,nothing*": "TOTALS/4; none nothing*",
		"_confluent-ksql-.*":  "; none _confluent-ksql-.*",
	} {
		var entries []string
		if list != "" {
			entries = strings.Split(list, ",")
		}
		patterns, err := parseTopicPatterns(entries)
		if err != nil {
			t.Errorf("%s: %v", list, err)
			continue
		}
		refs, warnings, err := topicsToDelete(s, patterns)
		if err != nil {
			t.Errorf("%s: %v", list, err)
		}
		var out []string
		for _, r := range refs {
			out = append(out, r.Name+"/"+r.ID)
		}
		got := strings.Join(out, " ")
		for _, w := range warnings {
			if topic, stays := strings.CutPrefix(w, "The topic "); stays {
				got += "; stays " + strings.Fields(topic)[0]
			} else {
				got += "; none " + strings.TrimSuffix(strings.TrimPrefix(w, "No topic of a stream or table matches '"), "'.")
			}
		}
		if got != want {
			t.Errorf("%s: %q, want %q", list, got, want)
		}
	}
}

func TestBadTopicPatterns(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"[", "*x", "a(", `\`} {
		_, err := parseTopicPatterns([]string{"good", bad})
		var e *api.GenericError
		if !errors.As(err, &e) || e.Code != api.CodeBadRequest || !strings.HasPrefix(e.Message, "Invalid pattern: "+bad) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
