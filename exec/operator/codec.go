package operator

import (
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

func (c *Context) spec(
	topic string, isKey bool, cols []types.Column, f physical.FormatSpec, locs []types.Loc,
) (formats.Format, *formats.Spec, error) {
	format, ok := c.Formats.Lookup(f.Name)
	if !ok {
		return nil, nil, fmt.Errorf("format %s of topic %s is not known", f.Name, topic)
	}
	return format, &formats.Spec{
		Topic: topic, IsKey: isKey, Columns: cols, Locs: locs, Unwrapped: f.Unwrapped, Properties: f.Properties,
	}, nil
}

// encoder makes the encoder of one side of a topic.
func (c *Context) encoder(
	topic string, isKey bool, cols []types.Column, f physical.FormatSpec, locs []types.Loc,
) (formats.Encoder, error) {
	format, spec, err := c.spec(topic, isKey, cols, f, locs)
	if err != nil {
		return nil, err
	}
	return format.NewEncoder(spec)
}

// decoder makes the decoder of one side of a topic.
func (c *Context) decoder(
	topic string, isKey bool, cols []types.Column, f physical.FormatSpec, locs []types.Loc,
) (formats.Decoder, error) {
	format, spec, err := c.spec(topic, isKey, cols, f, locs)
	if err != nil {
		return nil, err
	}
	return format.NewDecoder(spec)
}
