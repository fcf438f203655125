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
	if buf[1] != SCNPVersion || op.layout == undefined || flags&^knownFlags != 0 ||
		body > p.limits.MaxRequest-scnpHeader || body < prefixSize(flags) {
		return 0, p.badHeader(buf, body)
	}
	if op.fixed != 0 && flags&FlagArgs == 0 {
		return p.keyedFrame(b, buf, op)
	}
	if scnpHeader+body > len(buf) {
		return 0, nil
	}
	d := frameReader{limits: &p.limits, op: op, buf: buf, at: scnpHeader + prefixSize(flags), end: scnpHeader + body}
	d.frame.prefix(buf)
	first := len(b.args)
	err := d.arguments(b, flags)
	if err == nil && len(b.args) == first {
		err = frameError("SCNP frame without a command")
	}
	if err != nil {
		b.args = b.args[:first]
		return 0, err
	}
	b.addFrom(first).Frame = d.frame
	return d.end, nil
}

// badHeader says what is wrong with a frame's header.
func (p *Parser) badHeader(buf []byte, body int) error {
	most, flags := p.limits.MaxRequest-scnpHeader, buf[3]
	switch {
	case buf[1] != SCNPVersion:
		return frameError("SCNP version %d; have %d", buf[1], SCNPVersion)
	case opcodes[buf[2]].layout == undefined:
		return frameError("unknown SCNP opcode %d", buf[2])
	case flags&^knownFlags != 0:
		return frameError("unknown SCNP flags %#02x", flags&^knownFlags)
	case body > most:
		return frameError("SCNP body of %d bytes; at most %d fit", body, most)
	}
	return frameError("SCNP body of %d bytes is shorter than what its flags announce", body)
}

func frameError(format string, args ...any) error {
	return &ProtocolError{Text: fmt.Sprintf(format, args...), SCNP: true}
}

// prefixSize is how long the prefix is that flags announce.
func prefixSize(flags byte) int {
	return int(flags&FlagKeyHash)*8 + int(flags&FlagRouteShard)*2 + int(flags&FlagKeyTag)*2
}

// prefix reads what the flags announce, which must be there.
func (f *Frame) prefix(buf []byte) {
	f.flags, f.Form = buf[3], Typed
	at := scnpHeader
	if f.flags&FlagKeyHash != 0 {
		f.hash = binary.LittleEndian.Uint64(buf[at:])
		at += 8
	}
	if f.flags&FlagRouteShard != 0 {
		f.shard = binary.LittleEndian.Uint32(buf[at:])
		at += 4
	}
	if f.flags&FlagKeyTag != 0 {
		tag := binary.LittleEndian.Uint64(buf[at:])
		if f.flags&FlagKeyHash == 0 {
			f.hash = tag << 56
		}
		if tag != f.hash>>56 {
			f.refusal = badHash
		}
	}
}

// keyedFrame reads a frame whose fixed fields are followed by a key, and a value or none. It looks at the lengths as soon
// as they are there.
func (p *Parser) keyedFrame(b *Batch, buf []byte, op *opcode) (int, error) {
	body := int(binary.LittleEndian.Uint32(buf[4:]))
	end := scnpHeader + body
	from := scnpHeader + prefixSize(buf[3]) + op.fixed
	if from > end {
		return 0, frameError("SCNP body of %d bytes is too short for opcode %d", body, buf[2])
	}
	if from > len(buf) {
		return 0, nil
	}
	keyLen, valueLen := int(binary.LittleEndian.Uint32(buf[from-4:])), 0
	if op.layout == pair || op.layout == pairTTL {
		keyLen, valueLen = int(binary.LittleEndian.Uint32(buf[from-8:])), keyLen
	}
	if max(keyLen, valueLen) > p.limits.MaxBulk {
		return 0, frameError("SCNP field of %d bytes; at most %d fit", max(keyLen, valueLen), p.limits.MaxBulk)
	}
	withoutKey := false
	if fields := from + keyLen + valueLen; fields != end {
		withoutKey = Opcode(buf[2]) == OpGet && buf[3]&FlagKeyTag != 0 && from == end
		if !withoutKey {
			return 0, frameError("SCNP body of %d bytes; its fields take %d", body, fields-scnpHeader)
		}
		keyLen = 0
	}
	if end > len(buf) {
		return 0, nil
	}
	key, value := buf[from:from+keyLen:from+keyLen], buf[from+keyLen:end:end]
	first := len(b.args)
	switch op.layout {
	case keyed:
		b.args = append(b.args, op.words[0], key)
	case pair:
		b.args = append(b.args, op.words[0], key, value)
	case pairTTL:
		b.args = append(b.args, wordPSETEX, key, b.number(binary.LittleEndian.Uint64(buf[from-16:])), value)
	case keyedTTL:
		ttl := b.number(binary.LittleEndian.Uint64(buf[from-12:]))
		if Opcode(buf[2]) == OpExpire {
			b.args = append(b.args, wordPEXPIRE, key, ttl)
		} else {
			b.args = append(b.args, op.words[0], key, wordPX, ttl)
		}
	}
	f := &b.addFrom(first).Frame // filled in place: copying what was just written in pieces would cost a stall
	f.prefix(buf)
	if withoutKey {
		f.refusal = hashOnly
	}
	return end, nil
}

// frameReader is a place in the fields of a frame that is all there.
type frameReader struct {
	limits  *Limits
	op      *opcode
	buf     []byte
	at, end int
	frame   Frame
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
