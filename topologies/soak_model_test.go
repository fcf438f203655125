package topologies

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/shardlab/shardlab/server/wire"
)

// soakOp is a step of a checker: requests, and what their replies must be. since is when they were sent, in Unix milliseconds.
type soakOp struct {
	requests [][]string
	check    func(replies []wire.Reply, since int64) (problem string)
}

// soakModel makes steps on keys that nobody else writes, and knows what they must give. An op is made before the replies to those ahead
// of it are known, so what it wants depends on the state when it is checked.
type soakModel struct {
	id   string
	rng  *rand.Rand
	keys soakKeys
	n    int
}

func newSoakModel(id string, rng *rand.Rand) *soakModel {
	return &soakModel{id: id, rng: rng, keys: soakKeys{}}
}

// key is one of ours of a kind: v for values, n for counters, a for what is appended to.
func (m *soakModel) key(kind string) (string, *soakKey) {
	key := kind + m.id + ":" + strconv.Itoa(m.rng.IntN(2000))
	return key, m.keys.at(key)
}

func (m *soakModel) value(key string) string {
	m.n++
	length := m.rng.IntN(500)
	if m.rng.IntN(100) == 0 {
		length = m.rng.IntN(8 << 10)
	}
	return soakValue(key, m.n, length)
}

func (m *soakModel) next() soakOp {
	switch m.rng.IntN(16) {
	case 0, 1, 2:
		return m.set()
	case 3, 4, 5, 6:
		return m.get()
	case 7:
		return m.foreign()
	case 8:
		return m.delete()
	case 9:
		return m.increment()
	case 10:
		return m.append()
	case 11:
		return m.severalKeys()
	case 12:
		return m.transaction()
	case 13:
		return m.expire()
	case 14:
		return m.rename()
	default:
		return m.slice()
	}
}

func (m *soakModel) set() soakOp {
	key, k := m.key("v")
	value := m.value(key)
	request, deadline := []string{"SET", key, value}, int64(0)
	if m.rng.IntN(3) == 0 {
		deadline = time.Now().UnixMilli() + m.rng.Int64N(300)
		request = append(request, "PXAT", strconv.FormatInt(deadline, 10))
	}
	return soakOp{[][]string{request}, func(r []wire.Reply, _ int64) string {
		*k = soakKey{value, deadline}
		return mustBe(r[0], "OK")
	}}
}

func (m *soakModel) get() soakOp {
	key, k := m.key("v")
	requests := [][]string{{"GET", key}}
	if m.rng.IntN(8) == 0 {
		requests = [][]string{{"GETDEL", key}, {"EXISTS", key}}
	}
	return soakOp{requests, func(r []wire.Reply, since int64) string {
		problem := read(k, r[0], since)
		if len(r) == 2 && problem == "" {
			*k = soakKey{}
			problem = mustBe(r[1], "0")
		}
		return problem
	}}
}

// foreign reads what somebody else may be writing: it must be whole, and its key's.
func (m *soakModel) foreign() soakOp {
	key := fmt.Sprintf("v%d:%d", m.rng.IntN(8), m.rng.IntN(2000))
	return soakOp{[][]string{{"GET", key}}, func(r []wire.Reply, _ int64) string {
		text, there, problem := bulkOf(r[0])
		if problem == "" && there && !soakDescribes(key, text) {
			return fmt.Sprintf("%.100q of %d bytes is no value of this key", text, len(text))
		}
		return problem
	}}
}

func (m *soakModel) delete() soakOp {
	key, k := m.key("v")
	return soakOp{[][]string{{"UNLINK", key}, {"GET", key}}, func(r []wire.Reply, since int64) string {
		if absent := k.value == ""; r[0].Kind != wire.IntReply || r[0].Int < 0 || r[0].Int > 1 || absent && r[0].Int == 1 {
			return fmt.Sprintf("%s %d of a key with %d bytes", r[0].Kind, r[0].Int, len(k.value))
		}
		*k = soakKey{}
		return read(k, r[1], since)
	}}
}

func (m *soakModel) increment() soakOp {
	key, k := m.key("n")
	return soakOp{[][]string{{"INCRBY", key, "3"}, {"GET", key}}, func(r []wire.Reply, since int64) string {
		old, _ := strconv.ParseInt(k.value, 10, 64)
		if n := r[0].Int; r[0].Kind != wire.IntReply || n != old+3 && n != 3 {
			return fmt.Sprintf("%s %d after %d", r[0].Kind, n, old)
		}
		*k = soakKey{value: strconv.FormatInt(r[0].Int, 10)}
		return read(k, r[1], since)
	}}
}

func (m *soakModel) append() soakOp {
	key, k := m.key("a")
	piece := key + ";"
	return soakOp{[][]string{{"APPEND", key, piece}, {"GET", key}}, func(r []wire.Reply, since int64) string {
		switch n := int(r[0].Int); {
		case n == len(k.value)+len(piece):
			k.value += piece
		case n == len(piece): // it had been evicted
			k.value = piece
		default:
			return fmt.Sprintf("%s %d after %d bytes", r[0].Kind, n, len(k.value))
		}
		return read(k, r[1], since)
	}}
}

func (m *soakModel) severalKeys() soakOp {
	set, get := []string{"MSET"}, []string{"MGET"}
	var keys []*soakKey
	for range 1 + m.rng.IntN(20) {
		key, k := m.key("v")
		value := m.value(key)
		set, get, keys = append(set, key, value), append(get, key), append(keys, k)
	}
	return soakOp{[][]string{set, get}, func(r []wire.Reply, since int64) string {
		for i, k := range keys { // of equal keys the last counts
			*k = soakKey{value: set[2+2*i]}
		}
		if problem := mustBe(r[0], "OK"); problem != "" {
			return problem
		}
		return readAll(keys, r[1], since)
	}}
}

func (m *soakModel) transaction() soakOp {
	var keys []*soakKey
	requests := [][]string{{"MULTI"}}
	var values []string
	for range 1 + m.rng.IntN(4) {
		key, k := m.key("v")
		value := m.value(key)
		requests, keys, values = append(requests, []string{"SET", key, value}), append(keys, k), append(values, value)
	}
	requests = append(requests, []string{"EXEC"})
	return soakOp{requests, func(r []wire.Reply, _ int64) string {
		for i, k := range keys {
			*k = soakKey{value: values[i]}
			if problem := mustBe(r[1+i], "QUEUED"); problem != "" {
				return problem
			}
		}
		results, err := r[len(r)-1].Elements()
		if err != nil || len(results) != len(keys) {
			return fmt.Sprintf("EXEC: %s %.100q", r[len(r)-1].Kind, r[len(r)-1].Payload)
		}
		for _, result := range results {
			if problem := mustBe(result, "OK"); problem != "" {
				return problem
			}
		}
		return ""
	}}
}

func (m *soakModel) expire() soakOp {
	key, k := m.key("v")
	deadline := time.Now().UnixMilli() + m.rng.Int64N(200)
	return soakOp{[][]string{{"PEXPIREAT", key, strconv.FormatInt(deadline, 10)}}, func(r []wire.Reply, _ int64) string {
		switch {
		case r[0].Kind != wire.IntReply || r[0].Int < 0 || r[0].Int > 1 || r[0].Int == 1 && k.value == "":
			return fmt.Sprintf("%s %d of a key with %d bytes", r[0].Kind, r[0].Int, len(k.value))
		case r[0].Int == 1:
			k.deadline = deadline
		default:
			*k = soakKey{}
		}
		return ""
	}}
}

// rename moves a value away and back, so that it still says whose it is.
func (m *soakModel) rename() soakOp {
	key, k := m.key("v")
	away := "r" + m.id
	return soakOp{[][]string{{"RENAME", key, away}, {"RENAME", away, key}, {"GET", key}}, func(r []wire.Reply, since int64) string {
		for _, reply := range r[:2] {
			if reply.Kind == wire.ErrorReply && string(reply.Payload) == "ERR no such key" {
				*k = soakKey{} // evicted or expired here or there
			} else if problem := mustBe(reply, "OK"); problem != "" {
				return problem
			}
		}
		return read(k, r[2], since)
	}}
}

func (m *soakModel) slice() soakOp {
	key, k := m.key("v")
	from := m.rng.IntN(100)
	return soakOp{[][]string{{"GETRANGE", key, strconv.Itoa(from), "-1"}}, func(r []wire.Reply, _ int64) string {
		text, _, problem := bulkOf(r[0])
		if problem == "" && text != "" && text != k.value[min(from, len(k.value)):] {
			return fmt.Sprintf("got %.100q from %d on of %.100q", text, from, k.value)
		}
		return problem
	}}
}

func read(k *soakKey, r wire.Reply, since int64) string {
	text, there, problem := bulkOf(r)
	if problem != "" {
		return problem
	}
	return k.saw(text, there, since)
}

func readAll(keys []*soakKey, r wire.Reply, since int64) string {
	elements, err := r.Elements()
	if err != nil || len(elements) != len(keys) {
		return fmt.Sprintf("%d elements for %d keys, %v", len(elements), len(keys), err)
	}
	for i, k := range keys {
		if problem := read(k, elements[i], since); problem != "" {
			return problem
		}
	}
	return ""
}

// bulkOf takes the reply to a read apart.
func bulkOf(r wire.Reply) (text string, there bool, problem string) {
	switch r.Kind {
	case wire.BulkReply:
		return string(r.Payload), true, ""
	case wire.NullReply:
		return "", false, ""
	}
	return "", false, fmt.Sprintf("%s %.100q where a value was asked for", r.Kind, r.Payload)
}

func mustBe(r wire.Reply, want string) string {
	if string(r.Payload) == want {
		return ""
	}
	return fmt.Sprintf("%s %.100q; want %s", r.Kind, strings.ToValidUTF8(string(r.Payload), "?"), want)
}
