// Package binarynum holds the functions that read numbers from byte strings.
package binarynum

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// Specs lists the functions that read numbers from byte strings.
func Specs() []*functions.Spec {
	return []*functions.Spec{
		spec("BIGINT_FROM_BYTES", "BIGINT", 8, func(o binary.ByteOrder, b []byte) types.Slot { return types.IntSlot(int64(o.Uint64(b))) },
			"BIGINT_FROM_BYTES(TO_BYTES('000000012A05F200', 'hex'))", "5000000000",
			"BIGINT_FROM_BYTES(TO_BYTES('00F2052A01000000', 'hex'), 'little_endian')", "5000000000"),
		spec("DOUBLE_FROM_BYTES", "DOUBLE", 8, func(o binary.ByteOrder, b []byte) types.Slot {
			return types.DoubleSlot(math.Float64frombits(o.Uint64(b)))
		},
			"DOUBLE_FROM_BYTES(TO_BYTES('4080A6FD9BC9F582', 'hex'))", "532.8738323"),
		spec("INT_FROM_BYTES", "INT", 4, func(o binary.ByteOrder, b []byte) types.Slot { return types.IntSlot(int64(int32(o.Uint32(b)))) },
			"INT_FROM_BYTES(TO_BYTES('000007E5', 'hex'))", "2021",
			"INT_FROM_BYTES(TO_BYTES('E5070000', 'hex'), 'LITTLE_ENDIAN')", "2021"),
	}
}

func spec(name, result string, size int, read func(binary.ByteOrder, []byte) types.Slot, examples ...string) *functions.Spec {
	call := functions.Slots(func(args []types.Slot) (types.Slot, error) {
		if args[0].Null {
			return types.NullSlot, nil
		}
		order := binary.ByteOrder(binary.BigEndian)
		if len(args) > 1 {
			var err error
			if order, err = byteOrder(args[1]); err != nil {
				return types.NullSlot, err
			}
		}
		if len(args[0].B) != size {
			return types.NullSlot, fmt.Errorf("Number of bytes must be equal to %d, but found %d", size, len(args[0].B))
		}
		return read(order, args[0].B), nil
	})
	examples = append(examples,
		name+"(TO_BYTES('00', 'hex'))", fmt.Sprintf("error: Number of bytes must be equal to %d, but found 1", size),
		name+"(TO_BYTES('00', 'hex'), 'x')", "error: Byte order must be BIG_ENDIAN or LITTLE_ENDIAN. Unknown byte order 'x'.",
		name+"(CAST(NULL AS BYTES))", "null",
	)
	return &functions.Spec{
		Name: name, Kind: functions.ScalarKind, Category: "OTHER",
		Description: fmt.Sprintf("Reads %s from %d bytes, BIG_ENDIAN (default) or LITTLE_ENDIAN.", article(result), size),
		Scalars: []functions.Scalar{
			functions.NewScalar("(BYTES value) -> "+result, call),
			functions.NewScalar("(BYTES value, STRING byteOrder) -> "+result, call),
		},
		Examples: functions.Examples(examples...),
	}
}

func article(noun string) string {
	if noun[0] == 'I' {
		return "an " + noun
	}
	return "a " + noun
}

func byteOrder(s types.Slot) (binary.ByteOrder, error) {
	name := "null"
	if !s.Null {
		name = s.Text()
	}
	switch strings.ToUpper(name) {
	case "BIG_ENDIAN":
		return binary.BigEndian, nil
	case "LITTLE_ENDIAN":
		return binary.LittleEndian, nil
	}
	return nil, fmt.Errorf("Byte order must be BIG_ENDIAN or LITTLE_ENDIAN. Unknown byte order '%s'.", name)
}
