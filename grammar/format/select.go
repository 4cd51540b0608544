package format

import "github.com/ksqlgo/ksqlgo/grammar/ast"

// selectStatement writes a SELECT over several lines, as ksqlDB's canonical text has it.
func (p *printer) selectStatement(s *ast.Select) {
	p.put("SELECT")
	for i, item := range s.Items {
		switch {
		case len(s.Items) == 1:
			p.put(" ")
		case i == 0:
			p.put("\n  ")
		default:
			p.put(",\n  ")
		}
		p.selectItem(item)
	}
	p.put("\nFROM ")
	p.relation(s.From)
	if s.Window != nil {
		p.put("\nWINDOW ")
		p.window(s.Window)
	}
	p.condition("WHERE", s.Where)
	p.grouping("GROUP BY", s.GroupBy)
	p.grouping("PARTITION BY", s.PartitionBy)
	p.condition("HAVING", s.Having)
	if s.Emit != ast.EmitNone {
		p.put("\n", s.Emit.String())
	}
	if s.Limit != nil {
		p.put("\nLIMIT ")
		p.number(s.Limit.Count)
	}
}

func (p *printer) selectItem(item ast.SelectItem) {
	switch item := item.(type) {
	case *ast.SelectExpr:
		p.expr(item.Expr)
		if item.Alias != nil {
			p.put(" ")
			p.name(*item.Alias)
		}
	case *ast.SelectAll:
		if item.Source != nil {
			p.name(*item.Source)
			p.put(".")
		}
		p.put("*")
	case *ast.SelectStructAll:
		p.base(item.Base)
		p.put("->*")
	}
}

// relation writes sources always with an alias, as ksqlDB does.
func (p *printer) relation(r ast.Relation) {
	switch r := r.(type) {
	case *ast.Source:
		p.name(r.Name)
		p.put(" ")
		p.name(r.NameOrAlias())
	case *ast.Join:
		p.relation(r.Left)
		p.put("\n", r.Kind.String(), " ")
		p.relation(r.Right)
		if r.Within != nil {
			p.put(" ")
			p.within(r.Within)
		}
		p.put(" ON (")
		p.expr(r.On)
		p.put(")")
	}
}

func (p *printer) within(w *ast.Within) {
	p.put("WITHIN ")
	if w.Symmetric {
		p.interval(w.Before)
	} else {
		p.put("(")
		p.interval(w.Before)
		p.put(", ")
		p.interval(w.After)
		p.put(")")
	}
	if w.Grace != nil {
		p.put(" GRACE PERIOD ")
		p.interval(*w.Grace)
	}
}

func (p *printer) window(w *ast.Window) {
	p.put(w.Kind.String(), " ( ")
	p.when(w.Kind != ast.Session, "SIZE ")
	p.interval(w.Size)
	if w.Advance != nil {
		p.put(", ADVANCE BY ")
		p.interval(*w.Advance)
	}
	if w.Retention != nil {
		p.put(" , RETENTION ")
		p.interval(*w.Retention)
	}
	if w.Grace != nil {
		p.put(" , GRACE PERIOD ")
		p.interval(*w.Grace)
	}
	p.put(" ) ")
}

func (p *printer) interval(i ast.Interval) {
	p.number(i.Value)
	p.put(" ", i.Unit.String())
}

func (p *printer) condition(clause string, e ast.Expr) {
	if e != nil {
		p.put("\n", clause, " ")
		p.expr(e)
	}
}

func (p *printer) grouping(clause string, g *ast.Grouping) {
	if g != nil {
		p.put("\n", clause, " ")
		list(p, g.Exprs, p.expr)
	}
}
