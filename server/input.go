package server

import (
	"errors"

	"github.com/shardlab/shardlab/server/wire"
)

// errUnfinished ends a connection whose client has gone within a request.
var errUnfinished = errors.New("the input ends within a request")

// input is what has arrived on a connection and is not yet parsed: buf[r:w]. The buffer grows to hold one unfinished
// request, by doubling, so that a client which only claims a length reserves nothing; the parser's limits bound it.
type input struct {
	parser wire.Parser
	buf    []byte
	r, w   int
}

// parse fills b with the complete requests that have arrived.
func (in *input) parse(b *wire.Batch) error {
	if in.r == in.w {
		return nil
	}
	n, err := in.parser.Parse(b, in.buf[in.r:in.w])
	in.r += n
	return err
}

// space returns room to read into, at least a quarter of the buffer. Requests parsed earlier must be done with: their
// bytes may move. A buffer that has grown for one large request is not kept.
func (in *input) space() []byte {
	if in.r == in.w && len(in.buf) > readSize {
		in.buf, in.r, in.w = make([]byte, readSize), 0, 0
	}
	if in.r > 0 {
		copy(in.buf, in.buf[in.r:in.w])
		in.w -= in.r
		in.r = 0
	}
	if len(in.buf)-in.w < len(in.buf)/4 {
		grown := make([]byte, 2*len(in.buf))
		copy(grown, in.buf[:in.w])
		in.buf = grown
	}
	return in.buf[in.w:]
}
