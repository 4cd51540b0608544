package protobuf

import (
	"errors"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Behind the header of a record stands which message of the schema it is: the place of the outermost message in the file, then
// the place of one within that, and so on; before these how many there are, all as zigzag varints. The first message of the file
// is a single 0.

// maxNesting bounds how deep the message may be within others.
const maxNesting = 100

var errIndexes = errors.New("the record does not say which message of its schema it is")

// splitIndexes takes off which message a record is; indexes and rest point into data.
func splitIndexes(data []byte) (indexes, rest []byte, err error) {
	if len(data) > 0 && data[0] == 0 {
		return data[:1], data[1:], nil
	}
	count, at := protowire.ConsumeVarint(data)
	if at < 0 {
		return nil, nil, errIndexes
	}
	levels := protowire.DecodeZigZag(count)
	if levels < 1 || levels > maxNesting {
		return nil, nil, errIndexes
	}
	for range levels {
		_, n := protowire.ConsumeVarint(data[at:])
		if n < 0 {
			return nil, nil, errIndexes
		}
		at += n
	}
	return data[:at], data[at:], nil
}

// indexed finds the message that indexes name.
func indexed(file protoreflect.FileDescriptor, indexes []byte) (protoreflect.MessageDescriptor, error) {
	list := file.Messages()
	count, at := protowire.ConsumeVarint(indexes)
	places := []int64{0}
	if count != 0 {
		places = places[:0]
		for range protowire.DecodeZigZag(count) {
			v, n := protowire.ConsumeVarint(indexes[at:])
			places, at = append(places, protowire.DecodeZigZag(v)), at+n
		}
	}
	var found protoreflect.MessageDescriptor
	for _, place := range places {
		if place < 0 || place >= int64(list.Len()) {
			return nil, errors.New("the record is of a message that its schema does not have")
		}
		found = list.Get(int(place))
		list = found.Messages()
	}
	return found, nil
}

// appendIndexes writes which message of its file one is.
func appendIndexes(dst []byte, d protoreflect.MessageDescriptor) []byte {
	var places []int
	for at := protoreflect.Descriptor(d); ; at = at.Parent() {
		m, ok := at.(protoreflect.MessageDescriptor)
		if !ok {
			break
		}
		places = append(places, m.Index())
	}
	if len(places) == 1 && places[0] == 0 {
		return append(dst, 0)
	}
	slices.Reverse(places)
	dst = protowire.AppendVarint(dst, protowire.EncodeZigZag(int64(len(places))))
	for _, place := range places {
		dst = protowire.AppendVarint(dst, protowire.EncodeZigZag(int64(place)))
	}
	return dst
}
