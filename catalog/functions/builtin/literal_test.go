package builtin_test

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// The examples of the functions are calls over literals. This small reader of them keeps catalog free of the grammar: it
// knows calls, literals, CAST, ARRAY[], MAP(), STRUCT(), lambdas and a few infix operators.

// node is one expression of an example.
type node struct {
	// kind is literal, name, call, cast, array, map, struct, lambda or infix.
	kind string
	// text is the name, function, operator.
	text  string
	value any
	t     *types.Type
	args  []*node
	names []string
}

type reader struct {
	tokens []string
	at     int
}

func readExample(sql string) (n *node, err error) {
	tokens, err := tokenize(sql)
	if err != nil {
		return nil, err
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("example %q: %v", sql, r)
		}
	}()
	r := &reader{tokens: tokens}
	n = r.expr()
	if r.peek() != "" {
		panic("trailing " + r.peek())
	}
	return n, nil
}

func readList(text string) ([]*node, error) {
	n, err := readExample("LIST(" + text + ")")
	if err != nil {
		return nil, err
	}
	return n.args, nil
}

func tokenize(s string) ([]string, error) {
	var out []string
	for i := 0; i < len(s); {
		c := s[i]
		start := i
		switch {
		case c == ' ' || c == '\n':
			i++
			continue
		case c == '\'':
			for i++; ; i++ {
				if i >= len(s) {
					return nil, fmt.Errorf("unterminated string in %q", s)
				}
				if s[i] == '\'' {
					if i+1 < len(s) && s[i+1] == '\'' {
						i++
						continue
					}
					break
				}
			}
			i++
		case c >= '0' && c <= '9':
			for i < len(s) && (s[i] >= '0' && s[i] <= '9' || s[i] == '.' || s[i] == 'e' || s[i] == '-' && s[i-1] == 'e') {
				i++
			}
		case c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z':
			for i < len(s) && (s[i] == '_' || s[i] >= '0' && s[i] <= '9' || s[i]|0x20 >= 'a' && s[i]|0x20 <= 'z') {
				i++
			}
		default:
			i++
			if two := s[start:min(start+2, len(s))]; two == ":=" || two == "=>" || two == "<=" || two == ">=" || two == "||" {
				i++
			}
		}
		out = append(out, s[start:i])
	}
	return out, nil
}

func (r *reader) peek() string {
	if r.at < len(r.tokens) {
		return r.tokens[r.at]
	}
	return ""
}

func (r *reader) next() string { t := r.peek(); r.at++; return t }

func (r *reader) accept(t string) bool {
	if r.peek() == t {
		r.at++
		return true
	}
	return false
}

func (r *reader) expect(t string) {
	if !r.accept(t) {
		panic(fmt.Sprintf("expected %s at %s", t, r.peek()))
	}
}

func (r *reader) expr() *node {
	left := r.primary()
	for strings.Contains(" + - * / > < = >= <= || ", " "+r.peek()+" ") && r.peek() != "" {
		op := r.next()
		left = &node{kind: "infix", text: op, args: []*node{left, r.primary()}}
	}
	return left
}

func (r *reader) list(end string) []*node {
	var out []*node
	for !r.accept(end) {
		if len(out) > 0 {
			r.expect(",")
		}
		out = append(out, r.expr())
	}
	return out
}

func (r *reader) primary() *node {
	t := r.next()
	switch {
	case t == "-":
		n := r.primary()
		n.negate()
		return n
	case t[0] == '\'':
		return &node{kind: "literal", value: strings.ReplaceAll(t[1:len(t)-1], "''", "'"), t: types.StringType}
	case t[0] >= '0' && t[0] <= '9':
		return number(t)
	case t == "(":
		return r.lambdaOrGroup()
	case r.peek() == "=>":
		r.at++
		return &node{kind: "lambda", names: []string{t}, args: []*node{r.expr()}}
	}
	switch t {
	case "NULL":
		return &node{kind: "literal", t: types.NullType}
	case "TRUE", "FALSE":
		return &node{kind: "literal", value: t == "TRUE", t: types.BooleanType}
	case "CAST":
		r.expect("(")
		x := r.expr()
		r.expect("AS")
		n := &node{kind: "cast", t: r.typ(), args: []*node{x}}
		r.expect(")")
		return n
	case "ARRAY":
		r.expect("[")
		return &node{kind: "array", args: r.list("]")}
	case "MAP", "STRUCT":
		return r.pairs(strings.ToLower(t))
	}
	if r.accept("(") {
		return &node{kind: "call", text: t, args: r.list(")")}
	}
	return &node{kind: "name", text: t}
}

func (r *reader) lambdaOrGroup() *node {
	var names []string
	mark := r.at
	for !r.accept(")") {
		names = append(names, r.next())
		if !r.accept(",") && r.peek() != ")" {
			names = nil
			break
		}
	}
	if names != nil && r.accept("=>") {
		return &node{kind: "lambda", names: names, args: []*node{r.expr()}}
	}
	r.at = mark
	n := r.expr()
	r.expect(")")
	return n
}

func (r *reader) pairs(kind string) *node {
	n := &node{kind: kind}
	r.expect("(")
	for !r.accept(")") {
		if len(n.args) > 0 {
			r.expect(",")
		}
		if kind == "struct" {
			n.names = append(n.names, r.next())
		} else {
			n.args = append(n.args, r.expr())
		}
		r.expect(":=")
		n.args = append(n.args, r.expr())
	}
	return n
}

func (n *node) negate() {
	switch v := n.value.(type) {
	case int32:
		n.value = -v
	case int64:
		n.value = -v
	case float64:
		n.value = -v
	default:
		d, err := types.ParseDecimal("-" + n.text)
		if err != nil {
			panic(err)
		}
		n.value = d
	}
}

func number(t string) *node {
	if strings.Contains(t, "e") {
		f, err := strconv.ParseFloat(t, 64)
		if err != nil {
			panic(err)
		}
		return &node{kind: "literal", value: f, t: types.DoubleType}
	}
	if !strings.Contains(t, ".") {
		v, err := strconv.ParseInt(t, 10, 64)
		if err != nil {
			panic(err)
		}
		if v <= 1<<31-1 {
			return &node{kind: "literal", value: int32(v), t: types.IntType}
		}
		return &node{kind: "literal", value: v, t: types.BigintType}
	}
	d, err := types.ParseDecimal(t)
	if err != nil {
		panic(err)
	}
	scale := int(-d.Exponent)
	return &node{kind: "literal", text: t, value: d, t: types.DecimalOf(max(int(d.NumDigits()), scale), scale)}
}

func (r *reader) typ() *types.Type {
	switch t := r.next(); t {
	case "BOOLEAN":
		return types.BooleanType
	case "INT":
		return types.IntType
	case "BIGINT":
		return types.BigintType
	case "DOUBLE":
		return types.DoubleType
	case "STRING":
		return types.StringType
	case "BYTES":
		return types.BytesType
	case "DATE":
		return types.DateType
	case "TIME":
		return types.TimeType
	case "TIMESTAMP":
		return types.TimestampType
	case "DECIMAL":
		r.expect("(")
		p, _ := strconv.Atoi(r.next())
		r.expect(",")
		s, _ := strconv.Atoi(r.next())
		r.expect(")")
		return types.DecimalOf(p, s)
	case "ARRAY":
		r.expect("<")
		e := r.typ()
		r.expect(">")
		return types.ArrayOf(e)
	case "MAP":
		r.expect("<")
		k := r.typ()
		r.expect(",")
		v := r.typ()
		r.expect(">")
		return types.MapOf(k, v)
	default:
		panic("unknown type " + t)
	}
}
