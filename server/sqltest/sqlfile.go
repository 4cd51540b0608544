package sqltest

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/ksqlgo/ksqlgo/grammar"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/grammar/token"
)

// SQLTest is a test of a file of statements: what stands between a --@test directive and the next one.
type SQLTest struct {
	file, name string
	line       int
	// source is the text of the whole file: places count in it.
	source string
	steps  []step
	// flaw is what is wrong with the test itself, nil if nothing is.
	flaw *Failure
	opts Options
}

// step is a statement or a directive.
type step struct {
	piece     token.Piece
	directive *directive
}

// directive is a line such as --@expected.message: text.
type directive struct {
	kind, text string
	at         diag.Pos
}

// The kinds of directives.
const (
	directiveTest    = "test"
	directiveError   = "expected.error"
	directiveMessage = "expected.message"
)

var (
	directiveForm = regexp.MustCompile(`^--@([a-zA-Z.]+):[ \t]*(.*)$`)
	// throwableForm is the name of a class of Java that can be thrown.
	throwableForm = regexp.MustCompile(`^[\w.$]*(Exception|Error|Throwable)$`)
)

// parseDirective reads a directive.
func parseDirective(t token.Token) (*directive, error) {
	m := directiveForm.FindStringSubmatch(strings.TrimSpace(t.Text))
	if m == nil {
		return nil, fmt.Errorf("This is no directive: %s\nDirectives are --@test: NAME, --@expected.error: CLASS and --@expected.message: TEXT.", strings.TrimSpace(t.Text))
	}
	d := &directive{kind: strings.ToLower(m[1]), text: strings.TrimSpace(m[2]), at: t.Pos}
	switch d.kind {
	case directiveTest, directiveMessage:
		if d.text == "" {
			return nil, fmt.Errorf("The directive --@%s needs a text.", d.kind)
		}
	case directiveError:
		if !throwableForm.MatchString(d.text) {
			return nil, fmt.Errorf("--@expected.error names a class of ksqlDB such as io.confluent.ksql.util.KsqlException or java.lang.AssertionError, not %q.", d.text)
		}
	default:
		return nil, fmt.Errorf("Unknown directive --@%s.\nDirectives are --@test: NAME, --@expected.error: CLASS and --@expected.message: TEXT.", d.kind)
	}
	return d, nil
}

// ParseSQL reads the tests of a file of statements. What is wrong with a test or with the file comes out when it is run. A text
// without directives holds no tests, and the result is empty.
func ParseSQL(file, text string, opts Options) []Case {
	p := sqlParser{file: file, text: text, opts: opts, names: map[string]int{}}
	trailing := directivesOf(text)
	if len(trailing) == 0 {
		return nil
	}
	pieces := token.NewSplitter(text)
	pieces.MaxBytes, pieces.MaxTokens = grammar.MaxStatementBytes, grammar.MaxTokens
	for {
		piece, ok := pieces.Next()
		if !ok {
			break
		}
		// Directives within a statement come after it.
		before := 0
		for before < len(piece.Directives) && piece.Directives[before].Pos.Offset < piece.Span.Start.Offset {
			before++
		}
		trailing = trailing[min(len(piece.Directives), len(trailing)):]
		p.directives(piece.Directives[:before])
		p.statement(piece)
		p.directives(piece.Directives[before:])
	}
	p.directives(trailing)
	return p.result()
}

// directivesOf lists the directives of a text.
func directivesOf(text string) []token.Token {
	if !strings.Contains(text, "--@") {
		return nil
	}
	var out []token.Token
	for l := token.NewLexer(text); ; {
		switch t := l.Next(); t.Kind {
		case token.EOF:
			return out
		case token.Directive:
			out = append(out, t)
		default:
		}
	}
}

type sqlParser struct {
	file, text string
	opts       Options
	tests      []*SQLTest
	// names counts the tests of a name: some files use one twice.
	names map[string]int
	// flaw is what stands before the first test.
	flaw *Failure
}

func (p *sqlParser) failure(line int, message string) *Failure {
	return &Failure{File: p.file, Line: line, Message: message}
}

func (p *sqlParser) directives(list []token.Token) {
	for _, t := range list {
		d, err := parseDirective(t)
		switch {
		case err != nil && len(p.tests) == 0:
			p.flawAt(t.Pos.Line, err.Error())
		case err != nil:
			if last := p.tests[len(p.tests)-1]; last.flaw == nil {
				last.flaw = p.failure(t.Pos.Line, err.Error())
			}
		case d.kind == directiveTest:
			p.begin(d)
		case len(p.tests) == 0:
			p.flawAt(t.Pos.Line, "Expected test to start with --@test.")
		default:
			last := p.tests[len(p.tests)-1]
			last.steps = append(last.steps, step{directive: d})
		}
	}
}

func (p *sqlParser) begin(d *directive) {
	name := d.text
	if p.names[name]++; p.names[name] > 1 {
		name = fmt.Sprintf("%s #%d", name, p.names[name])
	}
	p.tests = append(p.tests, &SQLTest{file: p.file, name: name, line: d.at.Line, source: p.text, opts: p.opts})
}

func (p *sqlParser) statement(piece token.Piece) {
	if len(p.tests) == 0 {
		p.flawAt(piece.Span.Start.Line, "Expected test to start with --@test.")
		return
	}
	last := p.tests[len(p.tests)-1]
	last.steps = append(last.steps, step{piece: piece})
}

func (p *sqlParser) flawAt(line int, message string) {
	if p.flaw == nil {
		p.flaw = p.failure(line, message)
	}
}

func (p *sqlParser) result() []Case {
	var out []Case
	if p.flaw != nil {
		out = append(out, &broken{*p.flaw})
	}
	for _, t := range p.tests {
		if t.flaw == nil && !t.hasStatements() {
			t.flaw = p.failure(t.line, "The test holds no statements.")
		}
		out = append(out, t)
	}
	return out
}

func (t *SQLTest) hasStatements() bool {
	for _, s := range t.steps {
		if s.directive == nil {
			return true
		}
	}
	return false
}

// File implements [Case].
func (t *SQLTest) File() string { return t.file }

// Line implements [Case].
func (t *SQLTest) Line() int { return t.line }

// Name implements [Case].
func (t *SQLTest) Name() string { return t.name }
