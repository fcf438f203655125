package wire

import (
	"encoding/binary"
	"fmt"
	"math"
)

// frame takes one SCNP frame off the front of buf. It returns 0 when the frame is incomplete. Until then only the fixed
// fields at its front are looked at, once a call: enough to refuse what is too long before it is waited for.
func (p *Parser) frame(b *Batch, buf []byte) (int, error) {
	if len(buf) < scnpHeader {
		if len(buf) > 1 && buf[1] != SCNPVersion {
			return 0, frameError("SCNP version %d; have %d", buf[1], SCNPVersion)
		}
		return 0, nil
	}
	body := int(binary.LittleEndian.Uint32(buf[4:]))
	op, flags := &opcodes[buf[2]], buf[3]
	switch {
	case buf[1] != SCNPVersion:
		return 0, frameError("SCNP version %d; have %d", buf[1], SCNPVersion)
	case op.layout == undefined:
		return 0, frameError("unknown SCNP opcode %d", buf[2])
	case flags&^knownFlags != 0:
		return 0, frameError("unknown SCNP flags %#02x", flags&^knownFlags)
	case body > p.limits.MaxRequest-scnpHeader:
		return 0, frameError("SCNP body of %d bytes; at most %d fit", body, p.limits.MaxRequest-scnpHeader)
	case body < prefixSize(flags):
		return 0, frameError("SCNP body of %d bytes is shorter than what its flags announce", body)
	}
	d := frameReader{limits: &p.limits, op: op, buf: buf, at: scnpHeader, end: scnpHeader + body}
	if fixed := fixedSize(op.layout); fixed != 0 && flags&FlagArgs == 0 {
		return d.keyed(b, buf[2], flags, fixed)
	}
	if d.end > len(buf) {
		return 0, nil
	}
	d.prefix(flags)
	first := len(b.args)
	err := d.arguments(b, flags)
	if err == nil && len(b.args) == first {
		err = frameError("SCNP frame without a command")
	}
	if err != nil {
		b.args = b.args[:first]
		return 0, err
	}
	b.addFrom(first, d.frame)
	return d.end, nil
}

func frameError(format string, args ...any) error {
	return &ProtocolError{Text: fmt.Sprintf(format, args...), SCNP: true}
}

// prefixSize is how long the prefix is that flags announce.
func prefixSize(flags byte) int {
	return int(flags&FlagKeyHash)*8 + int(flags&FlagRouteShard)*2 + int(flags&FlagKeyTag)*2
}

// fixedSize is how long the times and lengths in front of a key are, and 0 for layouts without a key of their own.
func fixedSize(l layout) int {
	switch l {
	case keyed:
		return 4
	case pair:
		return 8
	case keyedTTL:
		return 12
	case pairTTL:
		return 16
	}
	return 0
}

// frameReader is a place in one frame, whose body is buf[:end] from the header on.
type frameReader struct {
	limits  *Limits
	op      *opcode
	buf     []byte
	at, end int
	frame   Frame
}

// prefix reads what the flags announce.
func (d *frameReader) prefix(flags byte) {
	d.frame.flags, d.frame.Form = flags, Typed
	if flags&FlagKeyHash != 0 {
		d.frame.hash = binary.LittleEndian.Uint64(d.buf[d.at:])
		d.at += 8
	}
	if flags&FlagRouteShard != 0 {
		d.frame.shard = binary.LittleEndian.Uint32(d.buf[d.at:])
		d.at += 4
	}
	if flags&FlagKeyTag != 0 {
		tag := binary.LittleEndian.Uint64(d.buf[d.at:])
		d.at += 8
		if flags&FlagKeyHash == 0 {
			d.frame.hash = tag << 56
		}
		if tag != d.frame.hash>>56 {
			d.frame.refusal = badHash
		}
	}
}

// keyed reads a frame whose fixed fields are followed by a key, and a value or none. It looks at the lengths as soon as
// they are there.
func (d *frameReader) keyed(b *Batch, code, flags byte, fixed int) (int, error) {
	from := d.at + prefixSize(flags) + fixed
	if from > d.end {
		return 0, frameError("SCNP body of %d bytes is too short for opcode %d", d.end-scnpHeader, code)
	}
	if from > len(d.buf) {
		return 0, nil
	}
	withTTL, withValue := fixed >= 12, fixed == 8 || fixed == 16
	keyLen, valueLen := int(binary.LittleEndian.Uint32(d.buf[from-4:])), 0
	if withValue {
		keyLen, valueLen = int(binary.LittleEndian.Uint32(d.buf[from-8:])), keyLen
	}
	if keyLen > d.limits.MaxBulk || valueLen > d.limits.MaxBulk {
		return 0, frameError("SCNP field of %d bytes; at most %d fit", max(keyLen, valueLen), d.limits.MaxBulk)
	}
	if from+keyLen+valueLen != d.end {
		if Opcode(code) != OpGet || flags&FlagKeyTag == 0 || from != d.end {
			return 0, frameError("SCNP body of %d bytes; its fields take %d", d.end-scnpHeader, from+keyLen+valueLen-scnpHeader)
		}
		keyLen, d.frame.refusal = 0, hashOnly
	}
	if d.end > len(d.buf) {
		return 0, nil
	}
	refusal := d.frame.refusal
	d.prefix(flags)
	d.frame.refusal = max(refusal, d.frame.refusal)
	key, value := d.buf[from:from+keyLen:from+keyLen], d.buf[from+keyLen:d.end:d.end]
	var ttl []byte
	if withTTL {
		ttl = b.number(binary.LittleEndian.Uint64(d.buf[from-fixed:]))
	}
	first := len(b.args)
	switch d.op.layout {
	case keyed:
		b.args = append(b.args, d.op.words[0], key)
	case pair:
		b.args = append(b.args, d.op.words[0], key, value)
	case pairTTL:
		b.args = append(b.args, wordPSETEX, key, ttl, value)
	case keyedTTL:
		if Opcode(code) == OpExpire {
			b.args = append(b.args, wordPEXPIRE, key, ttl)
		} else {
			b.args = append(b.args, d.op.words[0], key, wordPX, ttl)
		}
	}
	b.addFrom(first, d.frame)
	return d.end, nil
}

// arguments appends the command's words to b.args. The whole body must be there.
func (d *frameReader) arguments(b *Batch, flags byte) error {
	b.args = append(b.args, d.op.words...)
	l := d.op.layout
	if flags&FlagArgs != 0 && l != wrapped && l != unsupported {
		l = argForm
		if d.at == d.end {
			return frameError("SCNP arguments are missing their count")
		}
	}
	var err error
	switch l {
	case unsupported:
		d.frame.refusal, d.at = notHere, d.end
	case argForm:
		err = d.argForm(b)
	case payload:
		if d.at < d.end {
			err = d.bytes(b, d.end-d.at)
		}
	case text:
		var n int
		if n, err = d.u32(); err == nil {
			err = d.bytes(b, n)
		}
	case number, maybeNumber:
		if l == maybeNumber && d.at == d.end {
			break
		}
		if d.end-d.at < 8 {
			return d.short()
		}
		b.args = append(b.args, b.number(binary.LittleEndian.Uint64(d.buf[d.at:])))
		d.at += 8
	default:
		err = d.list(b, l == pairs)
		if l == wrapped {
			d.frame.Form = Wrapped
		}
	}
	if err == nil && d.at != d.end {
		err = frameError("SCNP body has %d bytes too many", d.end-d.at)
	}
	return err
}

// argForm reads a count and as many arguments, their lengths as LEB128 numbers. A frame of no bytes has none.
func (d *frameReader) argForm(b *Batch) error {
	d.frame.Form = ArgForm
	if d.at == d.end {
		return nil
	}
	count, err := d.varint()
	if err == nil {
		err = d.count(count)
	}
	for ; err == nil && count > 0; count-- {
		var n int
		if n, err = d.varint(); err == nil {
			err = d.bytes(b, n)
		}
	}
	return err
}

// list reads a count and as many strings with their lengths in front, or pairs with both lengths in front.
func (d *frameReader) list(b *Batch, inPairs bool) error {
	count, err := d.u32()
	if err == nil {
		err = d.count(count)
	}
	for ; err == nil && count > 0; count-- {
		var n, m int
		if n, err = d.u32(); err == nil && inPairs {
			m, err = d.u32()
		}
		if err == nil {
			err = d.bytes(b, n)
		}
		if err == nil && inPairs {
			err = d.bytes(b, m)
		}
	}
	return err
}

func (d *frameReader) count(n int) error {
	if n > d.limits.MaxArgs {
		return frameError("SCNP frame of %d arguments; at most %d fit", n, d.limits.MaxArgs)
	}
	return nil
}

// bytes appends an argument of n bytes.
func (d *frameReader) bytes(b *Batch, n int) error {
	if n > d.limits.MaxBulk {
		return frameError("SCNP field of %d bytes; at most %d fit", n, d.limits.MaxBulk)
	}
	if n > d.end-d.at {
		return d.short()
	}
	b.args = append(b.args, d.buf[d.at:d.at+n:d.at+n])
	d.at += n
	return nil
}

func (d *frameReader) u32() (int, error) {
	if d.end-d.at < 4 {
		return 0, d.short()
	}
	n := binary.LittleEndian.Uint32(d.buf[d.at:])
	d.at += 4
	return int(n), nil
}

// varint reads a LEB128 number of up to 32 bits.
func (d *frameReader) varint() (int, error) {
	n, size := binary.Uvarint(d.buf[d.at:d.end])
	if size == 0 {
		return 0, d.short()
	}
	if size < 0 || n > math.MaxUint32 {
		return 0, frameError("SCNP length of more than 32 bits")
	}
	d.at += size
	return int(n), nil
}

func (d *frameReader) short() error {
	return frameError("SCNP fields go beyond the body of %d bytes", d.end-scnpHeader)
}
