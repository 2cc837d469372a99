package cache

import (
	"encoding/binary"

	"k8s.io/apimachinery/pkg/types"
)

// parseShort returns the bytes of a UID of up to 15 bytes, such as tests use, and their number.
func parseShort(uid types.UID) (high, low uint64, ok bool) {
	var bytes [16]byte
	if len(uid) >= len(bytes) {
		return 0, 0, false
	}
	bytes[0] = uint8(copy(bytes[1:], uid))
	return binary.BigEndian.Uint64(bytes[:8]), binary.BigEndian.Uint64(bytes[8:]), true
}

// parseUUID returns the 128 bits of a UUID in the form of RFC 9562, section 4, with lowercase letters. Nothing else is ok.
func parseUUID(uid types.UID) (high, low uint64, ok bool) {
	if len(uid) != 36 || uid[8] != '-' || uid[13] != '-' || uid[18] != '-' || uid[23] != '-' {
		return 0, 0, false
	}
	var digits [32]byte
	copy(digits[:8], uid[:8])
	copy(digits[8:12], uid[9:13])
	copy(digits[12:16], uid[14:18])
	copy(digits[16:20], uid[19:23])
	copy(digits[20:], uid[24:])
	var words [4]uint64
	for i := range words {
		if words[i], ok = parseHex(binary.BigEndian.Uint64(digits[8*i:])); !ok {
			return 0, 0, false
		}
	}
	return words[0]<<32 | words[1], words[2]<<32 | words[3], true
}

// parseHex returns the number that eight digits are, one in each byte. It works on all of them at once. What was no digit
// shows when it is made one again, or has a value of more than 15.
func parseHex(digits uint64) (number uint64, ok bool) {
	const each = 0x0101010101010101
	values := digits&(0xf*each) + 9*(digits>>6&each)
	letters := (values + (0x80-10)*each) >> 7 & each // 1 where the value is more than 9
	if values+'0'*each+('a'-'0'-10)*letters != digits || values&(0xf0*each) != 0 {
		return 0, false
	}
	values = (values | values>>4) & 0x00ff00ff00ff00ff
	values = (values | values>>8) & 0x0000ffff0000ffff
	return (values | values>>16) & 0xffffffff, true
}
