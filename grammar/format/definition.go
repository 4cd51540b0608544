package format

import (
	"cmp"
	"slices"

	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/token"
)

func (p *printer) definition(s ast.Statement) {
	switch s := s.(type) {
	case *ast.CreateSource:
		p.put("CREATE ")
		p.when(s.OrReplace, "OR REPLACE ")
		p.when(s.ReadOnly, "SOURCE ")
		p.put(s.Kind.String(), " ")
		p.when(s.IfNotExists, "IF NOT EXISTS ")
		p.name(s.Name)
		p.columns(s.Columns)
		p.with(s.With)
	case *ast.CreateAsSelect:
		p.put("CREATE ")
		p.when(s.OrReplace, "OR REPLACE ")
		p.put(s.Kind.String(), " ")
		p.when(s.IfNotExists, "IF NOT EXISTS ")
		p.name(s.Name)
		p.with(s.With)
		p.put(" AS ")
		p.selectStatement(s.Select)
	case *ast.InsertSelect:
		p.named("INSERT INTO ", s.Target)
		p.with(s.With)
		p.put(" ")
		p.selectStatement(s.Select)
	case *ast.InsertValues:
		p.named("INSERT INTO ", s.Target)
		p.names(s.Columns)
		p.put(" VALUES ")
		p.values(s.Values)
	case *ast.AlterSource:
		p.named("ALTER "+s.Kind.String()+" ", s.Name)
		p.put(" ")
		list(p, s.Add, func(c ast.Column) {
			p.put("ADD COLUMN ")
			p.column(c)
		})
	case *ast.DropSource:
		p.put("DROP ", s.Kind.String(), " ")
		p.when(s.IfExists, "IF EXISTS ")
		p.name(s.Name)
		p.when(s.DeleteTopic, " DELETE TOPIC")
	case *ast.CreateType:
		p.put("CREATE TYPE ")
		p.when(s.IfNotExists, "IF NOT EXISTS ")
		p.name(s.Name)
		p.put(" AS ")
		p.typeName(s.Type)
	case *ast.DropType:
		p.put("DROP TYPE ")
		p.when(s.IfExists, "IF EXISTS ")
		p.name(s.Name)
	case *ast.CreateConnector:
		p.put("CREATE ", connectorKind(s.Kind), "CONNECTOR ")
		p.when(s.IfNotExists, "IF NOT EXISTS ")
		p.name(s.Name)
		p.with(s.With)
	case *ast.DropConnector:
		p.put("DROP CONNECTOR ")
		p.when(s.IfExists, "IF EXISTS ")
		p.name(s.Name)
	default: // The others are not concerned.
	}
}

// columns writes the columns of a definition, nothing if there are none.
func (p *printer) columns(columns []ast.Column) {
	if len(columns) == 0 {
		return
	}
	p.put(" (")
	list(p, columns, p.column)
	p.put(")")
}

func (p *printer) column(c ast.Column) {
	p.name(c.Name)
	p.put(" ")
	p.typeName(c.Type)
	switch c.Constraint {
	case ast.NoConstraint:
	case ast.KeyConstraint:
		p.put(" KEY")
	case ast.PrimaryConstraint:
		p.put(" PRIMARY KEY")
	case ast.HeadersConstraint:
		p.put(" HEADERS")
	case ast.HeaderConstraint:
		p.put(" HEADER(", token.Quote(c.HeaderKey), ")")
	}
}

// with writes a WITH clause, nothing if there are no properties.
func (p *printer) with(properties []ast.Property) {
	if len(properties) == 0 {
		return
	}
	if p.options.SortProperties {
		properties = slices.SortedStableFunc(slices.Values(properties), func(a, b ast.Property) int { return cmp.Compare(a.Name, b.Name) })
	}
	p.put(" WITH (")
	list(p, properties, func(prop ast.Property) {
		switch {
		case prop.IsString:
			p.put(token.Quote(prop.Name))
		case needsQuotes(prop.Name):
			p.put(token.QuoteIdent(prop.Name))
		default:
			p.put(prop.Name)
		}
		p.put("=")
		p.expr(prop.Value)
	})
	p.put(")")
}

// names writes a list of columns, nothing if there are none.
func (p *printer) names(names []ast.Ident) {
	if len(names) == 0 {
		return
	}
	p.put(" (")
	list(p, names, p.name)
	p.put(")")
}

func (p *printer) values(values []ast.Expr) {
	p.put("(")
	list(p, values, p.expr)
	p.put(")")
}
