package scenarios

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// A scenario is three levels deep and a few KiB long. The YAML parser takes time quadratic in the depth (30 KB of "["
// took it 5 s), so deeper files are refused before it sees them.
const (
	maxFile  = 64 << 10 // bytes
	maxDepth = 16
)

// value is one YAML value with the place to blame for it.
type value struct {
	at   string // "file:line", or the flag that set it
	name string // the key it belongs to; the elements of a list have their list's
	kind kind
	text string  // scalar and null: as written, without quotes
	list []value // list
	rows []entry // table, keys distinct
}

// entry is one key of a table.
type entry struct {
	key string
	at  string // of the key
	val value
}

type kind int

const (
	scalar kind = iota
	null        // null or ~; text tells which; "" where nothing was written
	list
	table
)

func (k kind) String() string { return [...]string{"one value", "nothing", "a list", "a table"}[k] }

// errorf is an error about v: its place, its key, what is wrong.
func (v value) errorf(format string, args ...any) error {
	return fmt.Errorf("%s: %s: "+format, append([]any{v.at, v.name}, args...)...)
}

// word is v's text; an error unless v is a scalar.
func (v value) word() (string, error) {
	switch v.kind {
	case scalar:
		return v.text, nil
	case null:
		return "", v.errorf("is empty; write a value or leave the key out")
	}
	return "", v.errorf("wants one value, not %s", v.kind)
}

// parseTree reads YAML text into a value named name. It is nil where the text holds nothing. what is the kind of file, for
// errors; place makes the place of a line, counted from 1.
func parseTree(data []byte, what, name string, place func(line int) string) (*value, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")) // the lexer counts some of them twice
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s: longer than %d KiB: not a %s", place(1), maxFile>>10, what)
	}
	if i := invalidUTF8(data); i >= 0 {
		return nil, fmt.Errorf("%s: not UTF-8 text", place(1+bytes.Count(data[:i], []byte("\n"))))
	}
	tokens := lexer.Tokenize(string(data))
	if line := tooDeep(tokens); line > 0 {
		return nil, fmt.Errorf("%s: nested too deeply for a %s", place(line), what)
	}
	file, err := parseYAML(tokens)
	if err != nil {
		return nil, syntaxError(err, place)
	}
	var root *value
	b := treeBuilder{what, place}
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if root != nil {
			return nil, fmt.Errorf("%s: a second YAML document begins here; one %s a file", b.at(doc.Body), what)
		}
		v, err := b.build(doc.Body, name, 0)
		if err != nil {
			return nil, err
		}
		root = &v
	}
	return root, nil
}

func invalidUTF8(data []byte) int {
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

// tooDeep finds the line, if any, on which flow brackets, or block entries on one line, go deeper than maxDepth.
// Nesting by indentation needs no look: its depth is the square root of the file's length at most.
func tooDeep(tokens token.Tokens) int {
	flow, entries, line := 0, 0, 0
	for _, t := range tokens {
		if t.Position == nil {
			continue
		}
		if t.Position.Line != line {
			entries, line = 0, t.Position.Line
		}
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow--
		case token.SequenceEntryType, token.MappingKeyType:
			entries++
		}
		if flow > maxDepth || entries > maxDepth {
			return line
		}
	}
	return 0
}

// parseYAML keeps a bug of the YAML parser from ending the program: whatever the text, the worst is an error.
func parseYAML(tokens token.Tokens) (file *ast.File, err error) {
	defer func() {
		if r := recover(); r != nil {
			file, err = nil, errors.New("malformed YAML")
		}
	}()
	return parser.Parse(tokens, 0, parser.AllowDuplicateMapKey()) // we report duplicates, with both lines
}

// syntaxError is the parser's own complaint as one line.
func syntaxError(err error, place func(int) string) error {
	line, msg := 1, err.Error()
	var e yaml.Error
	if errors.As(err, &e) {
		msg = e.GetMessage()
		if t := e.GetToken(); t != nil && t.Position != nil {
			line = max(t.Position.Line, 1)
		}
	}
	msg = strings.ReplaceAll(msg, "\t", `\t`) // the character the parser complains of most
	return fmt.Errorf("%s: not YAML: %s", place(line), strings.Join(strings.Fields(msg), " "))
}

type treeBuilder struct {
	what  string
	place func(int) string
}

func (b treeBuilder) at(n ast.Node) string {
	if t := n.GetToken(); t != nil && t.Position != nil {
		return b.place(max(t.Position.Line, 1))
	}
	return b.place(1)
}

func (b treeBuilder) build(n ast.Node, name string, depth int) (value, error) {
	v := value{at: b.at(n), name: name}
	if depth > maxDepth {
		return v, fmt.Errorf("%s: nested too deeply", v.at)
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		return b.table(v, n, depth)
	case *ast.SequenceNode:
		v.kind = list
		for _, x := range n.Values {
			e, err := b.build(x, name, depth+1)
			if err != nil {
				return v, err
			}
			v.list = append(v.list, e)
		}
		return v, nil
	case *ast.NullNode:
		v.kind = null
		if t := n.GetToken(); t.Type != token.ImplicitNullType {
			v.text = t.Value
		}
		return v, nil
	case *ast.LiteralNode:
		if n.Value != nil { // else a block with no lines
			v.text = strings.TrimRight(n.Value.Value, "\n")
		}
	case *ast.StringNode:
		v.text = n.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		v.text = n.GetToken().Value // as written: what it means is up to the key
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode, *ast.MergeKeyNode:
		return v, fmt.Errorf("%s: %s files have no anchors (&), aliases (*) or tags (!); write the value out, "+
			"in quotes if it begins with such a sign", v.at, b.what)
	default:
		return v, fmt.Errorf("%s: %s files have no YAML of this kind (%s)", v.at, b.what, n.Type())
	}
	if !utf8.ValidString(v.text) || strings.ContainsRune(v.text, 0) {
		return v, fmt.Errorf("%s: %s: holds bytes that are not text", v.at, quote(name))
	}
	return v, nil
}

func (b treeBuilder) table(v value, n *ast.MappingNode, depth int) (value, error) {
	v.kind = table
	first := map[string]string{}
	for _, row := range n.Values {
		at := b.at(row.Key)
		switch row.Key.(type) {
		case *ast.MappingKeyNode, *ast.MergeKeyNode:
			return v, fmt.Errorf("%s: %s files have no merge keys (<<) or explicit keys (?); write key: value",
				at, b.what)
		case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
			return v, fmt.Errorf("%s: %s files have no anchors, aliases or tags; write key: value", at, b.what)
		}
		key := row.Key.GetToken().Value
		if was, ok := first[key]; ok {
			return v, fmt.Errorf("%s: duplicate key %s; it is already at %s", at, quote(key), was)
		}
		first[key] = at
		val, err := b.build(row.Value, key, depth+1)
		if err != nil {
			return v, err
		}
		if val.kind != scalar {
			val.at = at // a list or table below its key, or nothing: the key's line is the one to look at
		}
		v.rows = append(v.rows, entry{key, at, val})
	}
	return v, nil
}
