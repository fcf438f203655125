package wire

// dialect is whose replies a ReplyScanner reads.
type dialect uint8

const (
	ownReplies dialect = iota // RESP2, RESP3 and SCNP
	memcachedReplies
	httpReplies
)

// foreign is a scanner's place in a reply of another protocol.
type foreign struct {
	dialect dialect
	stage   uint8
	found   bool // memcached: a value or a statistic; HTTP: a Content-Length
	at      int  // where the payload starts
	size    int  // how long it is, as far as it has been seen

	values int // memcached: how many there were
	first  int // and where the header of the first starts

	// HTTP:
	bodyless bool // it answers HEAD
	chunked  bool
	code     int // the status
	text     int // where it starts in the status line
	textSize int
	length   int // the Content-Length
}

// NewMemcachedScanner returns a scanner of the replies of memcached's text protocol. A value is a bulk reply; several,
// with their headers, are an array, from which [MemcachedValue] takes one after the other; END without one is null. STORED and OK
// are simple strings "OK"; DELETED and TOUCHED are the integer 1 and NOT_FOUND 0; NOT_STORED and EXISTS are null; a number is an
// integer. Statistics are a bulk reply, as they were sent.
func NewMemcachedScanner(limits ReplyLimits) ReplyScanner {
	s := NewReplyScanner(limits)
	s.foreign.dialect = memcachedReplies
	return s
}

// NewHTTPScanner returns a scanner of the replies of HTTP/1.1 to GET, PUT, DELETE and, see Bodyless, HEAD on connections that stay open. 200 is a bulk
// reply with the body; 404 is null; 201, 202 and 204 are simple strings "OK"; 1xx are passed over; all else is an error with the
// status. A reply must have a Content-Length or come in chunks. Those are put together where they are, in the buffer given
// to Next.
func NewHTTPScanner(limits ReplyLimits) ReplyScanner {
	s := NewReplyScanner(limits)
	s.foreign.dialect = httpReplies
	return s
}

// other cuts a reply of another protocol. It differs from the rest of Next in nothing.
func (s *ReplyScanner) other(buf []byte) (Reply, int, error) {
	step := s.memcached
	if s.foreign.dialect == httpReplies {
		step = s.http
	}
	for {
		r, ok, err := step(buf)
		switch {
		case err != nil || !ok:
			return Reply{}, 0, err
		case r.Kind != 0:
			n := s.pos
			s.pos, s.searched = 0, 0
			s.foreign = foreign{dialect: s.foreign.dialect}
			return r, n, nil
		}
	}
}
