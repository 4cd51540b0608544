package repl

import (
	"slices"
	"strings"

	"github.com/ksqlgo/ksqlgo/grammar/token"
)

// Separators of go-prompt's words: what stands before the word to complete.
const (
	wordBreaks    = " ();,.=<>+-*/%[]{}:!|`\"" + string('\t')
	quotedBreaks  = "'"
	topicBreaks   = " ;"
	wholeLine     = "\x00" // never typed: the whole line is the word
	maxSuggested  = 200
	minWordLength = 1
)

// suggestion is one way to go on.
type suggestion struct {
	text, note string
}

// completion is what can stand at a place.
type completion struct {
	suggestions []suggestion
	breaks      string // separators of the word that a suggestion replaces
}

// snippets are the abbreviations that ksqlDB's console expands.
func snippets() []suggestion {
	return []suggestion{
		{"cs", "CREATE STREAM"}, {"ct", "CREATE TABLE"}, {"ii", "INSERT INTO"},
		{"csas", "CREATE STREAM s AS SELECT"}, {"ctas", "CREATE TABLE t AS SELECT"},
	}
}

// starters are the words a statement can start with.
func starters() []string {
	return []string{
		"ALTER", "ASSERT", "CREATE", "DEFINE", "DESCRIBE", "DROP", "EXPLAIN", "INSERT", "LIST", "PAUSE", "PRINT",
		"RESUME", "RUN", "SELECT", "SET", "SHOW", "TERMINATE", "UNDEFINE", "UNSET",
	}
}

// complete finds what can stand at the end of text, a statement that is not
// finished. Commands are the console's own, offered at its start.
func complete(text string, catalog *Catalog, commands []string) completion {
	tokens, word, inString := tailOf(text)
	previous := token.Token{Kind: token.EOF}
	if len(tokens) > 0 {
		previous = tokens[len(tokens)-1]
	}
	c := completer{word: word, tokens: tokens, catalog: catalog}
	switch {
	case inString:
		return completion{c.quoted(), quotedBreaks}
	case previous.Kind == token.EOF:
		c.start(commands)
	case previous.Keyword == "PRINT":
		c.add(c.catalog.Topics, "topic")
		return completion{c.done(), topicBreaks}
	case previous.Is("."):
		c.members()
	case isOne(previous.Keyword, "FROM", "JOIN", "INTO"):
		c.sources("")
	case isOne(previous.Keyword, "STREAM", "TABLE") && isOne(tokens[0].Keyword, "DROP", "ALTER"):
		c.sources(previous.Keyword)
	case previous.Keyword == "FUNCTION":
		c.functions()
	case isOne(previous.Keyword, "EXPLAIN", "TERMINATE", "PAUSE", "RESUME"):
		c.add(c.catalog.Queries, "query")
		c.keywords()
	case previous.Keyword == "DESCRIBE":
		c.sources("")
		c.keywords()
	case word != "":
		c.columns()
		c.functions()
		c.sources("")
		c.add(c.catalog.Types, "type")
		c.keywords()
	}
	return completion{c.done(), wordBreaks}
}

// tailOf gives the tokens of the last statement in text before the word that
// is being typed, that word, and whether a string is open instead.
func tailOf(text string) (tokens []token.Token, word string, inString bool) {
	for lexer := token.NewLexer(text); ; {
		t := lexer.Next()
		switch {
		case t.Kind == token.EOF:
			if n := len(tokens) - 1; n >= 0 && isWord(tokens[n]) && strings.HasSuffix(text, tokens[n].Text) {
				return tokens[:n], tokens[n].Text, false
			}
			return tokens, "", false
		case t.Is(";"):
			tokens = nil
		case t.Kind == token.Invalid && t.Text[0] == '\'':
			return tokens, t.Text[1:], true
		case t.Kind == token.Invalid && (t.Text[0] == '`' || t.Text[0] == '"'):
			return tokens, t.Text[1:], false
		case !t.IsComment():
			tokens = append(tokens, t)
		}
	}
}

func isWord(t token.Token) bool {
	return t.Kind == token.Ident || t.Kind == token.Keyword || t.Kind == token.DigitIdent
}

func isOne(word string, words ...string) bool { return slices.Contains(words, word) }

// completer collects suggestions for one place.
type completer struct {
	word    string
	tokens  []token.Token
	catalog *Catalog
	found   []suggestion
}

// offer adds a suggestion if the word is the start of its name. Names follow
// the case the user writes in, unless their own case matters.
func (c *completer) offer(name, note string, quoted bool) {
	if len(name) < len(c.word) || !strings.EqualFold(name[:len(c.word)], c.word) {
		return
	}
	text := name
	switch {
	case quoted && token.NeedsQuotes(name):
		text = token.QuoteIdent(name)
	case c.word != "" && strings.ToLower(c.word) == c.word && strings.ToUpper(name) == name:
		text = strings.ToLower(name)
	}
	c.found = append(c.found, suggestion{text, note})
}

func (c *completer) add(names []string, note string) {
	for _, name := range names {
		c.offer(name, note, false)
	}
}

func (c *completer) sources(kind string) {
	for _, s := range c.catalog.Sources {
		if kind == "" || s.Kind == kind {
			c.offer(s.Name, strings.ToLower(s.Kind), true)
		}
	}
}

func (c *completer) functions() {
	for _, f := range c.catalog.Functions {
		c.offer(f.Name, strings.TrimSpace("function "+strings.ToLower(f.Kind)), false)
	}
}

func (c *completer) keywords() { c.add(token.Keywords(), "") }

// columns offers those of the sources the statement names, or of all sources
// while it names none; and the pseudo columns.
func (c *completer) columns() {
	named := c.named()
	if len(named) == 0 {
		for i := range c.catalog.Sources {
			named = append(named, &c.catalog.Sources[i])
		}
	}
	for _, s := range named {
		for _, column := range s.Columns {
			c.offer(column.Name, column.Type+" of "+s.Name, true)
		}
	}
	c.add([]string{"ROWTIME", "ROWPARTITION", "ROWOFFSET", "WINDOWSTART", "WINDOWEND"}, "pseudo column")
}

// named are the sources whose names stand in the statement.
func (c *completer) named() []*Source {
	var out []*Source
	for i := range c.catalog.Sources {
		s := &c.catalog.Sources[i]
		if slices.ContainsFunc(c.tokens, func(t token.Token) bool {
			return (isWord(t) || t.Kind == token.QuotedIdent) && t.Value() == s.Name
		}) {
			out = append(out, s)
		}
	}
	return out
}

// members offers the columns of what stands before the dot: a source or its
// alias.
func (c *completer) members() {
	n := len(c.tokens) - 2
	if n < 0 {
		return
	}
	name := c.tokens[n].Value()
	for i, t := range c.tokens {
		if !isOne(t.Keyword, "FROM", "JOIN") || i+1 >= len(c.tokens) {
			continue
		}
		if source := c.tokens[i+1].Value(); source == name || c.aliasAfter(i+1) == name {
			c.membersOf(source)
			return
		}
	}
	c.membersOf(name)
}

// aliasAfter is the alias of the source whose name is token i, or "".
func (c *completer) aliasAfter(i int) string {
	i++
	if i < len(c.tokens) && c.tokens[i].Keyword == "AS" {
		i++
	}
	if i < len(c.tokens) && (c.tokens[i].Kind == token.Ident || c.tokens[i].Kind == token.QuotedIdent) {
		return c.tokens[i].Value()
	}
	return ""
}

func (c *completer) membersOf(source string) {
	for _, s := range c.catalog.Sources {
		if s.Name == source {
			for _, column := range s.Columns {
				c.offer(column.Name, column.Type, true)
			}
			return
		}
	}
}

// quoted offers what can stand in a string: property names after SET and
// UNSET, topics after KAFKA_TOPIC=.
func (c *completer) quoted() []suggestion {
	n := len(c.tokens)
	switch {
	case n == 1 && isOne(c.tokens[0].Keyword, "SET", "UNSET"):
		c.add(c.catalog.Properties, "property")
	case n == 3 && c.tokens[0].Keyword == "SET" && strings.EqualFold(c.tokens[1].Value(), "auto.offset.reset"):
		c.add([]string{"earliest", "latest"}, "")
	case n >= 2 && c.tokens[n-1].Is("=") && c.tokens[n-2].Value() == "KAFKA_TOPIC":
		c.add(c.catalog.Topics, "topic")
	}
	return c.done()
}

// start offers what a line can start with.
func (c *completer) start(commands []string) {
	if len(c.word) < minWordLength {
		return
	}
	for _, s := range snippets() {
		if strings.EqualFold(s.text, c.word) {
			c.found = append(c.found, suggestion{s.note, s.text})
		}
	}
	c.add(starters(), "")
	c.add(commands, "command")
}

// done drops what is there already and what was found twice.
func (c *completer) done() []suggestion {
	seen := make(map[string]bool, len(c.found))
	out := c.found[:0]
	for _, s := range c.found {
		if !seen[s.text] && s.text != c.word && len(out) < maxSuggested {
			seen[s.text] = true
			out = append(out, s)
		}
	}
	return out
}
