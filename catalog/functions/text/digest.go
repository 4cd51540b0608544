package text

import (
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"errors"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func md5Text() *functions.Spec {
	s := spec("MD5", "The MD5 digest of the text's UTF-8 bytes, in lower-case hex.", []functions.Scalar{
		functions.NewScalar("(STRING s) -> STRING", functions.Unary(func(s string) string {
			sum := md5.Sum(types.TextBytes(s))
			return hex.EncodeToString(sum[:])
		})),
	},
		"MD5('')", `"d41d8cd98f00b204e9800998ecf8427e"`,
		"MD5('abc')", `"900150983cd24fb0d6963f7d28e17f72"`,
		"MD5(CAST(NULL AS STRING))", "null",
	)
	s.Category = "CRYPTOGRAPHIC"
	return s
}

func uuid() *functions.Spec {
	random := functions.NewScalar("() -> STRING", newUUID)
	random.Nondeterministic = true
	return spec("UUID", "A random UUID, or 16 bytes as a UUID text.", []functions.Scalar{
		random,
		functions.NewScalar("(BYTES bytes) -> STRING", functions.Slots(func(args []types.Slot) (types.Slot, error) {
			if args[0].Null || len(args[0].B) != 16 {
				return types.NullSlot, nil
			}
			return types.StringSlot(uuidText([16]byte(args[0].B))), nil
		})),
	},
		"UUID(TO_BYTES('000102030405060708090a0b0c0d0e0f', 'hex'))", `"00010203-0405-0607-0809-0a0b0c0d0e0f"`,
		"UUID(TO_BYTES('00', 'hex'))", "null",
		"LEN(UUID())", "36",
	)
}

// newUUID makes version 4 UUIDs from the host's random bits.
func newUUID(env *functions.Env, _ []*types.Type, _ *types.Type) (functions.Call, error) {
	if env == nil || env.Random == nil {
		return nil, errors.New("UUID needs a source of random numbers")
	}
	return func([]types.Slot) (types.Slot, error) {
		var b [16]byte
		binary.BigEndian.PutUint64(b[:], env.Random())
		binary.BigEndian.PutUint64(b[8:], env.Random())
		b[6] = b[6]&0x0F | 0x40
		b[8] = b[8]&0x3F | 0x80
		return types.StringSlot(uuidText(b)), nil
	}, nil
}

func uuidText(b [16]byte) string {
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
