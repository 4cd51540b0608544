package explain

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// JSON prints a plan as indented JSON, in the form in which it is stored.
func JSON(p *physical.Plan) (string, error) {
	data, err := physical.Encode(p)
	if err != nil {
		return "", err
	}
	var doc any
	if err := json.Unmarshal(data, &doc); err != nil {
		return "", err
	}
	out, err := json.MarshalIndent(doc, "", "  ")
	return string(out), err
}

// Mermaid draws a plan as a Mermaid flowchart: a box a stage, topics as cylinders.
func Mermaid(p *physical.Plan) string {
	m := &mermaid{topics: map[string]string{}}
	m.b.WriteString("flowchart TD\n")
	for _, s := range p.Stages {
		fmt.Fprintf(&m.b, "  subgraph stage%d[\"stage %d\"]\n", s.ID, s.ID)
		root := m.node(s, s.Root)
		m.b.WriteString("  end\n")
		for _, e := range m.edges {
			m.b.WriteString(e)
		}
		m.edges = nil
		switch n := s.Root.(type) {
		case *physical.Sink:
			fmt.Fprintf(&m.b, "  %s --> %s\n", root, m.topic(n.Topic))
		case *physical.Repartition:
			fmt.Fprintf(&m.b, "  %s --> %s\n", root, m.topic(n.Topic))
		case *physical.Emit:
			fmt.Fprintf(&m.b, "  %s --> client((client))\n", root)
		default: // The others are not concerned.
		}
	}
	return m.b.String()
}

type mermaid struct {
	b      strings.Builder
	next   int
	topics map[string]string
	// edges from topics are written after the box they lead into.
	edges []string
}

func (m *mermaid) topic(name string) string {
	id, ok := m.topics[name]
	if !ok {
		id = fmt.Sprintf("t%d", len(m.topics))
		m.topics[name] = id
		fmt.Fprintf(&m.b, "  %s[(\"%s\")]\n", id, escape(name))
	}
	return id
}

func (m *mermaid) node(s *physical.Stage, n physical.Node) string {
	var below []string
	for _, c := range n.Children() {
		below = append(below, m.node(s, c))
	}
	id := fmt.Sprintf("n%d", m.next)
	m.next++
	fmt.Fprintf(&m.b, "    %s[\"%s<br/>%s\"]\n", id, step(n), escape(name(n)))
	for _, b := range below {
		fmt.Fprintf(&m.b, "    %s --> %s\n", b, id)
	}
	if src, ok := n.(*physical.Source); ok {
		name := s.Inputs[src.Input].Topic
		tid, known := m.topics[name]
		if !known {
			tid = fmt.Sprintf("t%d", len(m.topics))
			m.topics[name] = tid
			m.edges = append(m.edges, fmt.Sprintf("  %s[(\"%s\")]\n", tid, escape(name)))
		}
		m.edges = append(m.edges, fmt.Sprintf("  %s --> %s\n", tid, id))
	}
	return id
}

func escape(s string) string {
	return strings.NewReplacer(`"`, "#quot;", "<", "#lt;", ">", "#gt;").Replace(s)
}
