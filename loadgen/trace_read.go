package loadgen

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// OpenTrace reads a trace from a file, see [ReadTrace], which may be compressed with gzip or zstd.
func OpenTrace(path string, keepTimes bool) (*Trace, error) {
	f, err := os.Open(path)
	if err != nil {
		if broken := (*fs.PathError)(nil); errors.As(err, &broken) {
			err = broken.Err
		}
		return nil, fmt.Errorf("trace %s: %w", path, err)
	}
	defer f.Close()
	in, err := unpack(f)
	if err != nil {
		return nil, fmt.Errorf("trace %s: %w", path, err)
	}
	defer in.close()
	t, err := ReadTrace(in, keepTimes)
	if err != nil {
		return nil, fmt.Errorf("trace %s, %w", path, err)
	}
	return t, nil
}

// ReadTrace reads a trace, a line at a time, in one of three forms, which its beginning tells:
//
//   - CSV whose first line names its columns: op, key, and where they are known timestamp (s; timestamp_ms, _us or _ns), value_size
//     and ttl (s; or ttl_ms). key_size and client_id may be there, and are not looked at.
//   - The columns of Twitter's cache traces without a header: timestamp, key, key size, value size, client, operation, TTL.
//   - What redis-cli MONITOR prints.
//
// Every line must be good: an error names the first that is not. What has several keys is replayed as an operation for each.
// What has no counterpart is replayed as what is nearest (an add, cas, append or SET NX as a SET), and what has no key is left out;
// the trace's statistics count both. A command that has keys and nothing near is an error.
//
// Operations of one time are spread evenly over what the time's last decimal stands for, up to the next time. keepTimes says
// that times are wanted; to leave them out saves half of the memory.
func ReadTrace(r io.Reader, keepTimes bool) (*Trace, error) {
	hash := sha256.New()
	lines := lineReader{in: bufio.NewReaderSize(io.TeeReader(r, hash), 1<<20)}
	b := newTraceBuilder(keepTimes)
	var parse func(line []byte) error
	for {
		line, err := lines.next()
		if err == io.EOF {
			break
		}
		if err == nil && parse == nil && len(line) > 0 && line[0] != '#' {
			parse, err = b.parserFor(line)
		} else if err == nil && parse != nil && len(line) > 0 {
			err = parse(line)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", lines.number, err)
		}
	}
	t, err := b.finish(hex.EncodeToString(hash.Sum(nil)))
	if err != nil {
		return nil, fmt.Errorf("line %d: %w", lines.number, err)
	}
	return t, nil
}

// maxTraceLine bounds a line: a value in it, each byte of which MONITOR may write as four.
const maxTraceLine = 4*MaxValueSize + 1<<20

type lineReader struct {
	in     *bufio.Reader
	number int
	long   []byte
}

// next returns a line without its end. It may be changed, and holds until the next call.
func (l *lineReader) next() ([]byte, error) {
	line, err := l.in.ReadSlice('\n')
	l.number++
	if err == bufio.ErrBufferFull {
		l.long = append(l.long[:0], line...)
		for err == bufio.ErrBufferFull && len(l.long) <= maxTraceLine {
			line, err = l.in.ReadSlice('\n')
			l.long = append(l.long, line...)
		}
		line = l.long
	}
	switch {
	case len(line) > maxTraceLine:
		return nil, fmt.Errorf("longer than %d bytes", maxTraceLine)
	case err == io.EOF && len(line) == 0:
		return nil, err
	case err != nil && err != io.EOF:
		return nil, err
	}
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r")), nil
}

// parserFor looks at the first line, and takes it in if it is an operation.
func (b *traceBuilder) parserFor(line []byte) (func([]byte) error, error) {
	if string(line) == "OK" {
		return b.monitorLine(), nil
	}
	if i := bytes.IndexByte(line, ' '); i > 0 && bytes.HasPrefix(line[i+1:], []byte("[")) {
		parse := b.monitorLine()
		return parse, parse(line)
	}
	var fields [][]byte
	fields, err := splitCSV(fields, slices.Clone(line))
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(fields, func(f []byte) bool { return columnName(f) == "key" }) {
		columns, err := columnsOf(fields)
		return b.csvLine(columns), err
	}
	if _, _, ok := parseDecimal(fields[0], 9); ok && len(fields) == len(twitterColumns) {
		parse := b.csvLine(twitterColumns)
		return parse, parse(line)
	}
	return nil, fmt.Errorf("%.60q is neither a header that names op and key, nor the seven columns of a Twitter cache trace, nor from MONITOR",
		line)
}

// column is what a column of CSV holds.
type column struct {
	holds    byte // t(ime), o(peration), k(ey), v(alue size), l(ife), or 0: not looked at
	decimals int  // that make a nanosecond of a time's unit, or a millisecond of a life's
}

var columnsByName = map[string]column{
	"timestamp": {'t', 9}, "time": {'t', 9}, "timestamp_ms": {'t', 6}, "timestamp_us": {'t', 3}, "timestamp_ns": {'t', 0},
	"op": {'o', 0}, "operation": {'o', 0}, "key": {'k', 0}, "value_size": {'v', 0}, "ttl": {'l', 3}, "ttl_ms": {'l', 0},
	"key_size": {}, "client_id": {}, "client": {},
}

var twitterColumns = []column{{'t', 9}, {'k', 0}, {}, {'v', 0}, {}, {'o', 0}, {'l', 3}}

func columnName(field []byte) string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimSpace(string(field))), " ", "_")
}

func columnsOf(header [][]byte) ([]column, error) {
	var columns []column
	seen := map[byte]bool{0: true}
	for _, f := range header {
		c, ok := columnsByName[columnName(f)]
		if !ok {
			return nil, fmt.Errorf("unknown column %.40q; have timestamp, op, key, value_size, ttl, key_size, client_id", f)
		}
		if c.holds != 0 && seen[c.holds] {
			return nil, fmt.Errorf("column %.40q says what another says", f)
		}
		seen[c.holds] = true
		columns = append(columns, c)
	}
	if !seen['o'] {
		return nil, errors.New("no column op")
	}
	return columns, nil
}

// tracedAs is what operations of CSV files are replayed as. Not exact are those that only stand in.
var tracedAs = map[string]struct {
	op    Op
	exact bool
}{
	"get": {Get, true}, "set": {Set, true}, "del": {Del, true}, "delete": {Del, true}, "incr": {Incr, true}, "decr": {Decr, true},
	"setex": {SetEx, true}, "expire": {Expire, true}, "touch": {Expire, true}, "exists": {Exists, true},
	"gets": {Get, false}, "add": {Set, false}, "replace": {Set, false}, "cas": {Set, false}, "append": {Set, false}, "prepend": {Set, false},
}

// csvLine returns what reads lines of such columns.
func (b *traceBuilder) csvLine(columns []column) func([]byte) error {
	var fields [][]byte
	return func(line []byte) error {
		var err error
		if fields, err = splitCSV(fields[:0], line); err != nil {
			return err
		}
		if len(fields) != len(columns) {
			return fmt.Errorf("%d fields; want %d", len(fields), len(columns))
		}
		r := record{size: -1, time: -1}
		for i, c := range columns {
			if err := r.read(c, fields[i]); err != nil {
				return err
			}
		}
		if r.op == Set && r.ttl > 0 {
			r.op = SetEx
		} else if !r.op.expires() {
			r.ttl = 0
		}
		return b.add(r)
	}
}

// read takes one field.
func (r *record) read(c column, field []byte) error {
	switch c.holds {
	case 'k':
		r.key = field
	case 'o':
		as, ok := tracedAs[string(field)]
		if !ok {
			if as, ok = tracedAs[strings.ToLower(string(field))]; !ok {
				return fmt.Errorf("%.40q is not an operation that can be replayed; have get, set, delete, incr, decr, touch, exists, "+
					"gets, add, replace, cas, append, prepend", field)
			}
		}
		if r.op = as.op; !as.exact {
			r.nearly = strings.ToLower(string(field))
		}
	case 't':
		var ok bool
		if r.time, r.step, ok = parseDecimal(field, c.decimals); !ok {
			return fmt.Errorf("%.40q is not a time; write a number from 0", field)
		}
	case 'v', 'l':
		if len(field) == 0 {
			return nil // not known
		}
		n, _, ok := parseDecimal(field, c.decimals)
		if !ok {
			return fmt.Errorf("%.40q is not a number from 0", field)
		}
		if c.holds == 'v' {
			r.size = int(n)
		} else {
			r.ttl = n
		}
	}
	return nil
}

// parseDecimal reads a number from 0, times 10 to the power of decimals, exactly. step is what its last digit stands for. More digits
// than decimals are dropped.
func parseDecimal(text []byte, decimals int) (n, step int64, ok bool) {
	const most = 1 << 62 / 10
	digits, after := 0, -1
	for _, c := range text {
		switch {
		case c == '.' && after < 0:
			after = 0
			continue
		case c < '0' || c > '9' || n > most:
			return 0, 0, false
		case after == decimals:
			continue
		case after >= 0:
			after++
		}
		n = n*10 + int64(c-'0')
		digits++
	}
	step = 1
	for range decimals - max(after, 0) {
		if n > most {
			return 0, 0, false
		}
		n, step = n*10, step*10
	}
	return n, step, digits > 0
}

// splitCSV appends the fields of a line. Quotes are taken off in place.
func splitCSV(fields [][]byte, line []byte) ([][]byte, error) {
	for {
		if len(line) == 0 || line[0] != '"' {
			field, rest, more := bytes.Cut(line, []byte{','})
			if fields = append(fields, field); !more {
				return fields, nil
			}
			line = rest
			continue
		}
		to, from, closed := 0, 1, false
		for ; from < len(line); from++ {
			if line[from] == '"' {
				if from++; from == len(line) || line[from] != '"' {
					closed = true
					break
				}
			}
			line[to] = line[from]
			to++
		}
		if !closed {
			return nil, errors.New("a quote that does not end on its line")
		}
		if fields = append(fields, line[:to]); from == len(line) {
			return fields, nil
		}
		if line[from] != ',' {
			return nil, fmt.Errorf("%.20q after a quoted field", line[from:])
		}
		line = line[from+1:]
	}
}
