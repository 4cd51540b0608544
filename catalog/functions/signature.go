package functions

import (
	"fmt"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// The signature notation that specs are written in:
//
//	(ARRAY<T> items, STRING... texts) -> T
//	(T value, literal INT k) -> ARRAY<T>
//	(MAP<K, V> map, (K, V) => BOOLEAN keep) -> MAP<K, V>
//
// A single upper-case letter, with a digit or not, is a type variable; ANY is a parameter of any type; UNIT is an
// interval unit keyword; DECIMAL is a decimal of any precision, and as a result the widest of the decimal arguments.
// Dots after a type make the parameter repeat zero or more times.

// AnyName is the name of the type variable that every argument fits and that binds nothing.
const AnyName = "ANY"

// NewScalar makes an overload from its signature and constructor. It panics on a malformed signature: signatures are
// constants of the program, and a test builds them all.
func NewScalar(signature string, construct Constructor) Scalar {
	params, returns := mustParse(signature)
	return Scalar{Params: params, Variadic: hasRepeated(params), Returns: returns, New: construct}
}

// NewAggregate makes an overload from its signature, which must name the result type; see [NewScalar].
func NewAggregate(signature string) Aggregate {
	params, returns := mustParse(signature)
	return Aggregate{Params: params, Variadic: hasRepeated(params), Returns: returns}
}

// NewTable makes an overload from its signature; see [NewScalar]. The result type is that of one output row.
func NewTable(signature string, construct TableConstructor) Table {
	params, returns := mustParse(signature)
	return Table{Params: params, Variadic: hasRepeated(params), Returns: returns, New: construct}
}

// Examples pairs calls with their results: sql, want, sql, want, …
func Examples(sqlWant ...string) []Example {
	out := make([]Example, 0, len(sqlWant)/2)
	for i := 0; i+1 < len(sqlWant); i += 2 {
		out = append(out, Example{SQL: sqlWant[i], Want: sqlWant[i+1]})
	}
	return out
}

func hasRepeated(params []Param) bool {
	for _, p := range params {
		if p.Repeated {
			return true
		}
	}
	return false
}

func mustParse(signature string) ([]Param, *types.Type) {
	params, returns, err := parseSignature(signature)
	if err != nil {
		panic(fmt.Sprintf("functions: signature %q: %v", signature, err))
	}
	return params, returns
}

func parseSignature(signature string) ([]Param, *types.Type, error) {
	left, right, ok := strings.Cut(signature, "->")
	if !ok {
		return nil, nil, fmt.Errorf("no result")
	}
	p := &signatureParser{text: strings.TrimSpace(left)}
	params, err := p.params()
	if err != nil {
		return nil, nil, err
	}
	r := &signatureParser{text: strings.TrimSpace(right)}
	returns, err := r.typ()
	if err == nil && r.at != len(r.text) {
		err = fmt.Errorf("trailing %q", r.text[r.at:])
	}
	return params, returns, err
}

type signatureParser struct {
	text string
	at   int
}

func (p *signatureParser) skip() {
	for p.at < len(p.text) && p.text[p.at] == ' ' {
		p.at++
	}
}

func (p *signatureParser) accept(s string) bool {
	p.skip()
	if strings.HasPrefix(p.text[p.at:], s) {
		p.at += len(s)
		return true
	}
	return false
}

func (p *signatureParser) word() string {
	p.skip()
	start := p.at
	for p.at < len(p.text) {
		c := p.text[p.at]
		if c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			break
		}
		p.at++
	}
	return p.text[start:p.at]
}

func (p *signatureParser) params() ([]Param, error) {
	if !p.accept("(") {
		return nil, fmt.Errorf("no (")
	}
	var out []Param
	for !p.accept(")") {
		if len(out) > 0 && !p.accept(",") {
			return nil, fmt.Errorf("no comma at %q", p.text[p.at:])
		}
		var param Param
		param.Literal = p.accept("literal ")
		t, err := p.typ()
		if err != nil {
			return nil, err
		}
		param.Type, param.Repeated = t, p.accept("...")
		param.Name = p.word()
		out = append(out, param)
	}
	return out, nil
}

func (p *signatureParser) typ() (*types.Type, error) {
	if p.accept("(") {
		return p.lambda()
	}
	name := p.word()
	switch name {
	case "ARRAY":
		args, err := p.arguments()
		if err != nil || len(args) != 1 {
			return nil, fmt.Errorf("bad ARRAY: %w", err)
		}
		return types.ArrayOf(args[0].Type), nil
	case "MAP":
		args, err := p.arguments()
		if err != nil || len(args) != 2 {
			return nil, fmt.Errorf("bad MAP: %w", err)
		}
		return types.MapOf(args[0].Type, args[1].Type), nil
	case "STRUCT":
		fields, err := p.arguments()
		return types.StructOf(fields...), err
	case AnyName:
		return types.GenericOf(AnyName), nil
	}
	if t := plainType(name); t != nil {
		return t, nil
	}
	if len(name) >= 1 && len(name) <= 2 && name[0] >= 'A' && name[0] <= 'Z' {
		return types.GenericOf(name), nil
	}
	return nil, fmt.Errorf("unknown type %q at %q", name, p.text[p.at:])
}

func plainType(name string) *types.Type {
	switch name {
	case "BOOLEAN":
		return types.BooleanType
	case "INT":
		return types.IntType
	case "BIGINT":
		return types.BigintType
	case "DOUBLE":
		return types.DoubleType
	case "DECIMAL":
		return types.DecimalOf(0, 0)
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
	case "UNIT":
		return types.IntervalUnitType
	}
	return nil
}

// lambda reads what follows the ( of (S, T) => S.
func (p *signatureParser) lambda() (*types.Type, error) {
	var params []*types.Type
	for !p.accept(")") {
		if len(params) > 0 && !p.accept(",") {
			return nil, fmt.Errorf("no comma at %q", p.text[p.at:])
		}
		t, err := p.typ()
		if err != nil {
			return nil, err
		}
		params = append(params, t)
	}
	if !p.accept("=>") {
		return nil, fmt.Errorf("no =>")
	}
	result, err := p.typ()
	if err != nil {
		return nil, err
	}
	return types.LambdaOf(result, params...), nil
}

// arguments reads <T, …> or the fields of a struct, <NAME T, …>.
func (p *signatureParser) arguments() ([]types.Field, error) {
	if !p.accept("<") {
		return nil, fmt.Errorf("no <")
	}
	var out []types.Field
	for !p.accept(">") {
		if len(out) > 0 && !p.accept(",") {
			return nil, fmt.Errorf("no comma at %q", p.text[p.at:])
		}
		start := p.at
		name := p.word()
		p.skip()
		if p.at >= len(p.text) || strings.IndexByte("<>,", p.text[p.at]) >= 0 {
			name, p.at = "", start
		}
		t, err := p.typ()
		if err != nil {
			return nil, err
		}
		out = append(out, types.Field{Name: name, Type: t})
	}
	return out, nil
}
