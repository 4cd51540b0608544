package format

import "slices"

// element is a word or a bracketed group.
type element struct {
	word
	group *group
}

// group is a pair of brackets, or CASE … END, with what is between them. Groups of CASE have an
// item for each WHEN and ELSE.
type group struct {
	open, close word
	items       []item
}

// item is a part of a list, with the comma behind it.
type item []element

// clause is a clause of a statement: its first words, then a list.
type clause struct {
	leading []word // comments on lines of their own before it
	head    item
	items   []item
	// list says that items go on lines of their own; else they are terms with AND and OR before them.
	list bool
}

// tree nests words by brackets and CASE. Unbalanced ones, which parsed text does not have, stay as they are.
func tree(words []word) item {
	out, _ := nest(words, func(word) bool { return false })
	return out
}

func nest(words []word, closes func(word) bool) (out item, rest []word) {
	for len(words) > 0 && !closes(words[0]) {
		w := words[0]
		words = words[1:]
		var end func(word) bool
		switch {
		case w.Is("("):
			end = func(w word) bool { return w.Is(")") }
		case w.Is("["):
			end = func(w word) bool { return w.Is("]") }
		case w.isKeyword("CASE"):
			end = func(w word) bool { return w.isKeyword("END") }
		default:
			out = append(out, element{word: w})
			continue
		}
		inner, after := nest(words, end)
		if len(after) == 0 {
			out = append(append(out, element{word: w}), inner...)
			words = after
			continue
		}
		g := &group{open: w, close: after[0]}
		if w.Keyword == "CASE" {
			g.items = splitBefore(inner, func(e element) bool { return e.isKeyword("WHEN") || e.isKeyword("ELSE") })
		} else {
			g.items = splitCommas(inner)
		}
		out = append(out, element{word: w, group: g})
		words = after[1:]
	}
	return out, words
}

// splitCommas cuts after commas, and after comments on the line of the comma. Commas go
// before the comments that come before them.
func splitCommas(elements item) []item {
	elements = slices.Clone(elements)
	var out []item
	start := 0
	for i, e := range elements {
		if e.group != nil || !e.Is(",") || e.inType {
			continue
		}
		for j := i; j > start+1 && elements[j-1].group == nil && elements[j-1].IsComment(); j-- {
			elements[j-1], elements[j] = elements[j], elements[j-1]
		}
		end := i + 1
		for end < len(elements) && elements[end].IsComment() && !elements[end].ownLine {
			end++
		}
		out = append(out, elements[start:end])
		start = end
	}
	if start < len(elements) {
		out = append(out, elements[start:])
	}
	return out
}

// splitBefore cuts before elements; comments on lines of their own go with what follows.
func splitBefore(elements item, starts func(element) bool) []item {
	var out []item
	start := 0
	for i, e := range elements {
		if i == 0 || e.group != nil && e.group.open.Keyword != "CASE" || !starts(e) {
			continue
		}
		end := i
		for end > start && elements[end-1].group == nil && elements[end-1].IsComment() && elements[end-1].ownLine {
			end--
		}
		if end > start {
			out = append(out, elements[start:end])
			start = end
		}
	}
	if start < len(elements) {
		out = append(out, elements[start:])
	}
	return out
}

// clauses cuts a statement into clauses.
func clauses(elements item) []clause {
	inSelect := false
	isStart := func(i int) bool {
		e := elements[i]
		if e.group != nil || e.Keyword == "" || e.name {
			return false
		}
		before := func(keywords ...string) bool { return i > 0 && slices.Contains(keywords, elements[i-1].Keyword) }
		switch e.Keyword {
		case "SELECT":
			inSelect = true
			return !before("EXPLAIN")
		case "WITH":
			return !inSelect
		case "VALUES":
			return !before("ASSERT", "NULL")
		case "FROM":
			return inSelect && !before("DISTINCT")
		case "JOIN":
			return !before("INNER", "LEFT", "RIGHT", "FULL", "OUTER")
		case "WINDOW", "WHERE", "GROUP", "PARTITION", "HAVING", "EMIT", "LIMIT", "INNER", "LEFT", "RIGHT", "FULL":
			return inSelect
		}
		return false
	}
	var out []clause
	start := 0
	for i := range elements {
		if isStart(i) && i > start {
			end := i
			for end > start && elements[end-1].group == nil && elements[end-1].IsComment() && elements[end-1].ownLine {
				end--
			}
			out = append(out, newClause(elements[start:end]))
			start = end
		}
	}
	return append(out, newClause(elements[start:]))
}

// newClause tells the words of a clause from its list.
func newClause(elements item) clause {
	var c clause
	for len(elements) > 0 && elements[0].group == nil && elements[0].IsComment() {
		c.leading = append(c.leading, elements[0].word)
		elements = elements[1:]
	}
	n := 1
	switch {
	case len(elements) == 0:
		return c
	case elements[0].Keyword == "SELECT":
		c.list = true
	case elements[0].Keyword == "GROUP" || elements[0].Keyword == "PARTITION":
		c.list = true
		n = min(2, len(elements))
	case elements[0].Keyword == "WHERE" || elements[0].Keyword == "HAVING":
	default:
		c.head = elements
		return c
	}
	c.head = elements[:n]
	if c.list {
		c.items = splitCommas(elements[n:])
		return c
	}
	between := false
	c.items = splitBefore(elements[n:], func(e element) bool {
		switch {
		case e.group != nil:
		case e.isKeyword("BETWEEN"):
			between = true
		case e.isKeyword("AND") && between:
			between = false
		case e.isKeyword("AND"), e.isKeyword("OR"):
			return true
		}
		return false
	})
	return c
}
