package grammar

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/grammar/token"
)

// syntaxError is ksqlDB's form of a syntax error: a first line with the place, then what is wrong.
func syntaxError(span diag.Span, what string) *diag.Error {
	return diag.Errorf(diag.Syntax, span, "line %s: Syntax Error\n%s", span.Start, what)
}

func nearMessage(text string, at diag.Pos) string {
	return fmt.Sprintf("Syntax error at or near '%s' at line %s", clip(text), at)
}

// emptyText is the error for a text without any token.
func emptyText(what string) *diag.Error {
	start := diag.Start()
	return syntaxError(diag.Span{Start: start, End: start}, what).WithHint("statements start with %s", strings.Join(starters(), ", "))
}

// clip keeps messages short when a token is long.
func clip(text string) string {
	const most = 60
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "..."
}

func tooDeep(span diag.Span) *diag.Error {
	return diag.Errorf(diag.Limit, span, "line %s: The statement is nested too deeply, the limit is %d levels.", span.Start, MaxDepth).
		WithHint("split it into several statements")
}

// unexpectedError is a token that cannot stand where it stands. It becomes a
// diag.Error once the whole statement is known.
type unexpectedError struct {
	token    lexer.Token
	what     string // ksqlDB's text if it has a special one, else ""
	expected string // what could stand there, in words, or ""
	hint     string // what to do, if there is more to say than what is expected
	wantName bool   // a name could stand there
}

// Error makes it an error; nobody sees this text.
func (e *unexpectedError) Error() string { return "unexpected token " + e.token.Value }

// diagnose finds the kindest explanation.
func (e *unexpectedError) diagnose(piece token.Piece) *diag.Error {
	at := posOf(&e.token)
	index := len(piece.Tokens) - 1
	for i, t := range piece.Tokens {
		if t.Pos.Offset >= at.Offset {
			index = i
			break
		}
	}
	t := piece.Tokens[index]
	span, text := t.Span(), t.Text
	if t.Kind == token.EOF {
		text = "<EOF>"
		if piece.Complete {
			text = ";"
			span.End = span.Start.Advance(text)
		}
	}
	err := syntaxError(span, nearMessage(text, t.Pos))
	unclosed := t.Kind == token.EOF && openBrackets(piece.Tokens)
	switch {
	case e.what != "":
		err = syntaxError(span, e.what)
	case index == 0:
		return unknownStatement(t)
	case unclosed:
		err = syntaxError(span, fmt.Sprintf("Syntax error at or near \"%s\"\n'}', ']', or ')' is missing", text))
	case t.Kind == token.Keyword && e.wantName && token.IsReserved(t.Keyword):
		err = syntaxError(span, fmt.Sprintf("\"%s\" is a reserved keyword and it can't be used as an identifier. You can use it as an identifier by escaping it as '%s' ", t.Text, t.Text))
		err.Code = diag.ReservedWord
		return err.WithHint("expected %s; to use %s as a name, write it in back-quotes", e.expected, t.Text)
	case t.Kind == token.Variable:
		return err.WithHint("the variable is not defined; set it with DEFINE %s = '...';", t.Value())
	case e.wantName && t.Kind == token.String:
		return err.WithHint("names are written without quotes, in back-quotes or in double quotes; single quotes are for strings")
	}
	return err.WithHint("%s", e.advice(piece.Tokens, index))
}

// endOfStatement is expected where nothing else is.
const endOfStatement = "the end of the statement"

// advice says what to do about the refused token.
func (e *unexpectedError) advice(tokens []token.Token, index int) string {
	if e.hint != "" {
		return e.hint
	}
	if e.expected == endOfStatement && isMisplacedClause(tokens, index) {
		return "the clauses of SELECT come in this order: FROM, WINDOW, WHERE, GROUP BY, PARTITION BY, HAVING, EMIT, LIMIT"
	}
	if hint := misspelt(tokens, index); hint != "" {
		return hint
	}
	if words := secondWords(tokens[0].Keyword); index == 1 && words != "" {
		return "expected " + words + " behind " + tokens[0].Keyword
	}
	return "expected " + e.expected
}

// starters are the words that statements start with.
func starters() []string {
	return []string{
		"SELECT", "CREATE", "INSERT", "DROP", "SHOW", "LIST", "DESCRIBE", "PRINT", "EXPLAIN", "TERMINATE", "PAUSE",
		"RESUME", "SET", "UNSET", "DEFINE", "UNDEFINE", "ALTER", "ASSERT",
	}
}

func unknownStatement(t token.Token) *diag.Error {
	err := syntaxError(t.Span(), fmt.Sprintf("Unknown statement '%s'", clip(t.Text)))
	if best, ok := diag.Suggest(t.Text, starters()); ok {
		err.Message += fmt.Sprintf("\nDid you mean '%s'?", best)
		return err.WithHint("did you mean %s?", best)
	}
	return err.WithHint("statements start with %s", strings.Join(starters(), ", "))
}

// expectation says in words what participle expected.
func expectation(e *participle.UnexpectedTokenError) string {
	_, node, found := strings.Cut(e.Message(), " (expected ")
	if !found {
		return endOfStatement
	}
	if word, ok := strings.CutPrefix(node, `"`); ok {
		word, _, _ = strings.Cut(word, `"`)
		return word
	}
	return "VALUES or SELECT" // of INSERT: all else starts with a word, or has words in secondWords
}

// secondWords says what can come behind the first word, for statements with many forms.
func secondWords(first string) string {
	switch first {
	case "SHOW", "LIST":
		return "STREAMS, TABLES, TOPICS, QUERIES, FUNCTIONS, TYPES, VARIABLES, PROPERTIES, CONNECTORS or CONNECTOR PLUGINS"
	case "CREATE":
		return "[OR REPLACE] [SOURCE] STREAM or TABLE, TYPE, SOURCE CONNECTOR or SINK CONNECTOR"
	case "DROP":
		return "STREAM, TABLE, TYPE or CONNECTOR"
	case "ALTER":
		return "STREAM, TABLE or SYSTEM"
	case "ASSERT":
		return "[NOT EXISTS] TOPIC or SCHEMA"
	case "TERMINATE", "PAUSE", "RESUME":
		return "the id of a query or ALL"
	case "EXPLAIN":
		return "a statement or the id of a query"
	case "DESCRIBE":
		return "the name of a source, STREAMS, TABLES, FUNCTION or CONNECTOR"
	}
	return ""
}

// isMisplacedClause reports whether a clause of SELECT comes where it cannot stand.
func isMisplacedClause(tokens []token.Token, index int) bool {
	switch tokens[index].Keyword {
	case "FROM", "WINDOW", "WHERE", "GROUP", "PARTITION", "HAVING", "EMIT", "LIMIT":
		return slices.ContainsFunc(tokens[:index], func(t token.Token) bool { return t.Keyword == "SELECT" })
	}
	return false
}

// openBrackets reports whether a bracket is open at the end.
func openBrackets(tokens []token.Token) bool {
	open := 0
	for _, t := range tokens {
		switch {
		case t.Is("(") || t.Is("["):
			open++
		case t.Is(")") || t.Is("]"):
			open--
		}
	}
	return open > 0
}

// misspelt looks for a keyword with a typing error: the token that was refused, or the one before
// it: in "SELECT A FORM S" the parser takes FORM for an alias and stumbles over S.
func misspelt(tokens []token.Token, index int) string {
	words := strings.Fields(`SELECT FROM WHERE GROUP HAVING PARTITION EMIT CHANGES FINAL LIMIT WINDOW TUMBLING HOPPING SESSION
		SIZE ADVANCE RETENTION GRACE PERIOD WITHIN JOIN INNER LEFT RIGHT FULL OUTER AND BETWEEN STREAM STREAMS TABLE TABLES
		TOPIC TOPICS QUERIES VALUES INTO WITH REPLACE EXISTS PRIMARY EXTENDED FUNCTIONS FUNCTION PROPERTIES VARIABLES TYPES
		TYPE CONNECTOR CONNECTORS SECONDS MINUTES HOURS DAYS MILLISECONDS BEGINNING DELETE THEN WHEN ELSE END`)
	aliases := strings.Fields(`FROM WHERE GROUP HAVING PARTITION LIMIT WINDOW JOIN INNER LEFT RIGHT FULL`)
	if hint := suggestion(tokens[index], words); hint != "" || index == 1 {
		return hint
	}
	return suggestion(tokens[index-1], aliases)
}

func suggestion(t token.Token, words []string) string {
	if _, isType := ast.BasicKindOf(strings.ToUpper(t.Text)); isType || t.Kind != token.Ident || len(t.Text) < 3 {
		return ""
	}
	best, ok := diag.Suggest(t.Text, words)
	if !ok {
		return ""
	}
	return fmt.Sprintf("did you mean %s instead of %s?", best, clip(t.Text))
}
