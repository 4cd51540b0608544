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
		case *physical.ForeignKeyAnswer:
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
	// edges from and to topics inside a stage are written after its box.
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
	switch n := n.(type) {
	case *physical.Source:
		m.edges = append(m.edges, fmt.Sprintf("  %s --> %s\n", m.later(s.Inputs[n.Input].Topic), id))
	case *physical.ForeignKeyJoin:
		m.edges = append(m.edges, fmt.Sprintf("  %s --> %s\n", id, m.later(n.Topic)))
	default: // The others have no topic.
	}
	return id
}

// later is the id of a topic, which is drawn with the edges if it is not there yet.
func (m *mermaid) later(name string) string {
	id, known := m.topics[name]
	if !known {
		id = fmt.Sprintf("t%d", len(m.topics))
		m.topics[name] = id
		m.edges = append(m.edges, fmt.Sprintf("  %s[(\"%s\")]\n", id, escape(name)))
	}
	return id
}

func escape(s string) string {
	return strings.NewReplacer(`"`, "#quot;", "<", "#lt;", ">", "#gt;").Replace(s)
}
