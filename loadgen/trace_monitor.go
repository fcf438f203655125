package loadgen

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// monitorLine returns what reads lines of MONITOR: 1339518083.107412 [0 127.0.0.1:60866] "GET" "key".
func (b *traceBuilder) monitorLine() func([]byte) error {
	m := monitor{traceBuilder: b}
	return m.line
}

type monitor struct {
	*traceBuilder
	database []byte
	args     [][]byte
	at       record // when: of all operations of a line
}

func (m *monitor) line(line []byte) error {
	stamp, rest, _ := bytes.Cut(line, []byte{' '})
	m.at = record{size: -1}
	var ok bool
	if m.at.time, m.at.step, ok = parseDecimal(stamp, 9); !ok || len(rest) == 0 || rest[0] != '[' {
		return fmt.Errorf("%.60q is not from MONITOR", line)
	}
	database, _, _ := bytes.Cut(rest[1:], []byte{' '})
	end := bytes.Index(rest, []byte(`] "`))
	if end < 0 {
		return fmt.Errorf("%.60q is not from MONITOR", line)
	}
	if m.database == nil {
		m.database = bytes.Clone(database)
	}
	if !bytes.Equal(database, m.database) {
		return fmt.Errorf("a command in database %.20s, and others in %.20s; replay one at a time", database, m.database)
	}
	if err := m.split(rest[end+2:]); err != nil {
		return err
	}
	return m.command()
}

// split takes the arguments apart, in place.
func (m *monitor) split(rest []byte) error {
	m.args = m.args[:0]
	for len(rest) > 0 {
		if rest[0] != '"' {
			return fmt.Errorf("%.20q where a quote should begin an argument", rest)
		}
		to, from := 0, 1
		for ; from < len(rest) && rest[from] != '"'; from++ {
			c := rest[from]
			if c == '\\' {
				if from++; from == len(rest) {
					break
				}
				switch c = rest[from]; c {
				case 'n':
					c = '\n'
				case 'r':
					c = '\r'
				case 't':
					c = '\t'
				case 'a':
					c = '\a'
				case 'b':
					c = '\b'
				case 'x':
					n, err := strconv.ParseUint(string(rest[min(from+1, len(rest)):min(from+3, len(rest))]), 16, 8)
					if err != nil {
						return fmt.Errorf("%.20q is no escaped byte", rest[from-1:])
					}
					c, from = byte(n), from+2
				}
			}
			rest[to] = c
			to++
		}
		if from >= len(rest) {
			return errors.New("an argument without an end")
		}
		m.args = append(m.args, rest[:to])
		rest = bytes.TrimPrefix(rest[from+1:], []byte{' '})
	}
	return nil
}

// keyless are commands that have no key, or whose work is logged as commands of its own: they are left out.
var keyless = map[string]bool{}

func init() {
	for _, name := range strings.Fields("PING ECHO AUTH HELLO SELECT CLIENT CONFIG INFO COMMAND DBSIZE MONITOR QUIT RESET REPLCONF " +
		"PSYNC CLUSTER SLOWLOG LATENCY MEMORY DEBUG SCRIPT EVAL EVALSHA EVAL_RO EVALSHA_RO FCALL FCALL_RO FUNCTION MULTI EXEC " +
		"DISCARD WATCH UNWATCH WAIT TIME ROLE ACL MODULE SUBSCRIBE UNSUBSCRIBE PSUBSCRIBE PUNSUBSCRIBE PUBLISH SCAN KEYS RANDOMKEY " +
		"LASTSAVE SAVE BGSAVE") {
		keyless[name] = true
	}
}

// command replays the arguments as operations.
func (m *monitor) command() error {
	name, n := bytes.ToUpper(m.args[0]), len(m.args)-1
	switch string(name) {
	case "GET", "INCR", "DECR":
		op, _ := ParseOp(string(name))
		return m.one(op, n == 1, "")
	case "INCRBY", "DECRBY":
		op, _ := ParseOp(string(name[:4]))
		return m.one(op, n == 2, string(name))
	case "SETNX", "GETSET", "APPEND":
		return m.write(1, 2, 0, n == 2, string(name))
	case "SET":
		return m.set()
	case "SETEX":
		return m.write(1, 3, m.ttl(2, 1000), n == 3, "")
	case "PSETEX":
		return m.write(1, 3, m.ttl(2, 1), n == 3, "")
	case "EXPIRE":
		return m.expire(n, 1000)
	case "PEXPIRE":
		return m.expire(n, 1)
	case "MGET":
		return m.all(Get, n)
	case "DEL", "UNLINK":
		return m.all(Del, n)
	case "EXISTS", "TOUCH":
		return m.all(Exists, n)
	case "MSET":
		if n%2 != 0 || n == 0 {
			return m.arity()
		}
		for i := 1; i < n; i += 2 {
			if err := m.write(i, i+1, 0, true, ""); err != nil {
				return err
			}
		}
		return nil
	}
	if keyless[string(name)] {
		m.t.stats.Skipped[string(name)]++
		return nil
	}
	return m.unknown()
}

func (m *monitor) unknown() error {
	return fmt.Errorf("%.40q cannot be replayed; have GET, SET, SETEX, PSETEX, SETNX, GETSET, APPEND, DEL, UNLINK, INCR, DECR, INCRBY, "+
		"DECRBY, MGET, MSET, EXPIRE, PEXPIRE, EXISTS, TOUCH: leave such lines out", m.args[0])
}

func (m *monitor) arity() error {
	return fmt.Errorf("%.40s with %d arguments", m.args[0], len(m.args)-1)
}

// one is an operation on the first argument.
func (m *monitor) one(op Op, good bool, nearly string) error {
	if !good {
		return m.arity()
	}
	r := m.at
	r.op, r.key, r.nearly = op, m.args[1], nearly
	return m.add(r)
}

// all is one for each argument.
func (m *monitor) all(op Op, n int) error {
	if n == 0 {
		return m.arity()
	}
	for _, key := range m.args[1:] {
		r := m.at
		r.op, r.key = op, key
		if err := m.add(r); err != nil {
			return err
		}
	}
	return nil
}

// write is one of argument key, with the size of argument value, and a time to live unless that is 0.
func (m *monitor) write(key, value int, ttl int64, good bool, nearly string) error {
	if !good {
		return m.arity()
	}
	r := m.at
	if r.op = Set; ttl != 0 {
		r.op, r.ttl = SetEx, ttl
	}
	r.key, r.size, r.nearly = m.args[key], len(m.args[value]), nearly
	return m.add(r)
}

// ttl is what argument i says, in ms; -1 where that is nothing good.
func (m *monitor) ttl(i int, unit int64) int64 {
	if i >= len(m.args) {
		return -1
	}
	n, err := strconv.ParseInt(string(m.args[i]), 10, 64)
	if err != nil || n < 1 || n > math.MaxInt64/unit {
		return -1
	}
	return n * unit
}

func (m *monitor) expire(n int, unit int64) error {
	switch {
	case n < 2 || n > 3:
		return m.arity()
	case m.ttl(2, unit) < 0: // a time that is past removes the key
		return m.one(Del, true, string(bytes.ToUpper(m.args[0])))
	}
	r := m.at
	r.op, r.key, r.ttl = Expire, m.args[1], m.ttl(2, unit)
	return m.add(r)
}

// set is SET with its options.
func (m *monitor) set() error {
	if len(m.args) < 3 {
		return m.arity()
	}
	ttl, nearly := int64(0), ""
	for i := 3; i < len(m.args); i++ {
		switch option := strings.ToUpper(string(m.args[i])); option {
		case "EX", "PX":
			if i++; option == "EX" {
				ttl = m.ttl(i, 1000)
			} else {
				ttl = m.ttl(i, 1)
			}
		case "NX", "XX", "GET", "KEEPTTL":
			nearly = "SET " + option
		case "EXAT", "PXAT":
			unit := int64(1e9)
			if option == "PXAT" {
				unit = 1e6
			}
			if i++; m.ttl(i, 1) > 0 {
				ttl = max((m.ttl(i, unit)-m.at.time)/1e6, 1)
			} else {
				ttl = -1
			}
		default:
			return fmt.Errorf("SET with the option %.40q", m.args[i])
		}
	}
	return m.write(1, 2, ttl, true, nearly)
}
