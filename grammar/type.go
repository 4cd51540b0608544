package grammar

import (
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/grammar/token"
)

// typeName parses a type with any number of ARRAY behind it.
func (p *parser) typeName() (ast.TypeName, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	start := posOf(p.peek())
	t, err := p.typePrimary()
	for n := 1; err == nil && isKeyword(p.peek(), "ARRAY"); n++ {
		if p.depth+n > MaxDepth {
			return nil, tooDeep(spanOf(p.peek()))
		}
		p.next()
		t = &ast.ArrayType{Located: p.from(start), Elem: t}
	}
	return t, err
}

func (p *parser) typePrimary() (ast.TypeName, error) {
	t := p.peek()
	if word := keyword(t); word != "" {
		following := p.peekAt(1)
		switch {
		case word == "DECIMAL":
			return p.decimalType()
		case word == "ARRAY" && isOp(following, "<"):
			return p.arrayType()
		case word == "MAP" && isOp(following, "<"):
			return p.mapType()
		case word == "STRUCT" && (isOp(following, "<") || isOp(following, "<>")):
			return p.structType()
		}
	}
	if !isName(t) {
		return nil, p.unexpected("a type")
	}
	name, err := p.ident()
	if err != nil {
		return nil, err
	}
	if err := p.typeParameters(); err != nil {
		return nil, err
	}
	if kind, ok := ast.BasicKindOf(token.Value(token.Ident, name.Name)); ok {
		return &ast.BasicType{Located: p.from(name.At.Start), Kind: kind}, nil
	}
	return &ast.NamedType{Located: name.Located, Name: name}, nil
}

// typeParameters passes over parameters such as those of VARCHAR(STRING) and VARCHAR(32); as in ksqlDB they mean nothing.
func (p *parser) typeParameters() error {
	if !isOp(p.peek(), "(") {
		return nil
	}
	_, err := list(p, false, func() (struct{}, error) {
		if t := p.peek(); kindOf(t) != token.Integer && !isKeyword(t, "STRING") {
			return struct{}{}, p.refuse("Expecting {'STRING', INTEGER_VALUE}", "a length")
		}
		p.next()
		return struct{}{}, nil
	})
	return err
}

func (p *parser) decimalType() (ast.TypeName, error) {
	start := posOf(p.next())
	if err := p.expectOp("("); err != nil {
		return nil, err
	}
	precision, err := p.typeNumber()
	if err != nil {
		return nil, err
	}
	if err := p.expectOp(","); err != nil {
		return nil, err
	}
	scale, err := p.typeNumber()
	if err != nil {
		return nil, err
	}
	if err := p.expectOp(")"); err != nil {
		return nil, err
	}
	return &ast.DecimalType{Located: p.from(start), Precision: precision, Scale: scale}, nil
}

func (p *parser) typeNumber() (int, error) {
	n, at, err := p.integer()
	if err != nil {
		return 0, err
	}
	if n > 1_000_000 || n < -1_000_000 {
		return 0, diag.Errorf(diag.Literal, at.At, "Value is out of range: %d", n).WithHint("the precision of a DECIMAL is at least 1, the scale between 0 and the precision")
	}
	return int(n), nil
}

func (p *parser) arrayType() (ast.TypeName, error) {
	start := posOf(p.next())
	p.next()
	elem, err := p.typeName()
	if err != nil {
		return nil, err
	}
	if err := p.expectOp(">"); err != nil {
		return nil, err
	}
	return &ast.ArrayType{Located: p.from(start), Elem: elem}, nil
}

func (p *parser) mapType() (ast.TypeName, error) {
	start := posOf(p.next())
	p.next()
	key, err := p.typeName()
	if err != nil {
		return nil, err
	}
	if err := p.expectOp(","); err != nil {
		return nil, err
	}
	value, err := p.typeName()
	if err != nil {
		return nil, err
	}
	if err := p.expectOp(">"); err != nil {
		return nil, err
	}
	return &ast.MapType{Located: p.from(start), Key: key, Value: value}, nil
}

func (p *parser) structType() (ast.TypeName, error) {
	start := posOf(p.next())
	s := &ast.StructType{}
	if !p.takeOp("<>") {
		p.next()
		if !isOp(p.peek(), ">") {
			fields, err := commaSeparated(p, p.fieldType)
			if err != nil {
				return nil, err
			}
			s.Fields = fields
		}
		if err := p.expectOp(">"); err != nil {
			return nil, err
		}
	}
	s.Located = p.from(start)
	return s, nil
}

func (p *parser) fieldType() (f ast.FieldType, err error) {
	start := posOf(p.peek())
	if f.Name, err = p.ident(); err != nil {
		return f, err
	}
	if f.Type, err = p.typeName(); err != nil {
		return f, err
	}
	f.Located = p.from(start)
	return f, nil
}
