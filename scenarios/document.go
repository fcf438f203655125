package scenarios

import (
	"fmt"
	"slices"
	"strings"
)

// document is a file whose keys are known to be in the schema; their values are not looked at yet.
type document struct {
	at       string    // to blame for what is missing
	sections []section // in the order of the file, the keys outside of sections first
	arms     *value    // nil if there is no such key; so the next
	groups   *value
	phases   *value
	steps    *value
}

type section struct {
	name, at string
	rows     []entry
}

// newDocument sorts the keys of a file into sections.
func newDocument(at string, root *value) (*document, error) {
	if root == nil {
		return nil, fmt.Errorf("%s: the file is empty; a scenario has at least a name and arms", at)
	}
	if root.kind != table {
		return nil, fmt.Errorf("%s: a scenario is a table of keys, as in name: hot-keys, not %s", root.at, root.kind)
	}
	doc := &document{at: at, sections: []section{{name: top, at: at}}}
	for _, row := range root.rows {
		switch {
		case slices.Contains(listNames, row.key):
			*map[string]**value{armList: &doc.arms, groupList: &doc.groups, phaseList: &doc.phases, stepTable: &doc.steps}[row.key] = &row.val
		case slices.Contains(sectionNames, row.key):
			s, err := newSection(row)
			if err != nil {
				return nil, err
			}
			doc.sections = append(doc.sections, s)
		default:
			if err := wantKey(top, row); err != nil {
				return nil, err
			}
			doc.sections[0].rows = append(doc.sections[0].rows, row)
		}
	}
	return doc, nil
}

func newSection(row entry) (section, error) {
	s := section{name: row.key, at: row.at, rows: row.val.rows}
	if row.val.kind != table {
		example := keysOf(row.key)[0]
		return s, row.val.errorf("wants a table of keys such as %s, not %s", example.name, row.val.kind)
	}
	for _, r := range s.rows {
		if err := wantKey(s.name, r); err != nil {
			return s, err
		}
	}
	return s, nil
}

// wantKey says that a section has no such key, and which section has.
func wantKey(section string, row entry) error {
	have := keyNames(keysOf(section))
	if slices.Contains(have, row.key) {
		return nil
	}
	in := ""
	if section == top {
		have = append(have, sectionNames...)
	} else {
		in = " in " + section
	}
	text := unknown("key", row.key, have)
	if home := homeOf(row.key, section); home != "" {
		text = fmt.Sprintf("unknown key %s%s; it belongs in %s", quote(row.key), in, home)
	} else if in != "" {
		text = strings.Replace(text, ";", in+";", 1)
	}
	return fmt.Errorf("%s: %s", row.at, text)
}

// homeOf is the section other than not that has the key.
func homeOf(name, not string) string {
	for _, k := range schema {
		if k.name == name && k.section != not && k.section != top {
			return k.section
		}
	}
	return ""
}

func (doc *document) clone() *document {
	c := *doc
	c.sections = slices.Clone(doc.sections)
	for i := range c.sections {
		c.sections[i].rows = slices.Clone(c.sections[i].rows)
	}
	return &c
}

// section finds a section by name; nil if the file has none such.
func (doc *document) section(name string) *section {
	for i := range doc.sections {
		if doc.sections[i].name == name {
			return &doc.sections[i]
		}
	}
	return nil
}

// place is that of a section, or of the whole where there is none.
func (doc *document) place(section string) string {
	if s := doc.section(section); s != nil {
		return s.at
	}
	return doc.at
}

// find finds a key; nil if it is not written.
func (doc *document) find(section, name string) *entry {
	s := doc.section(section)
	if s == nil {
		return nil
	}
	for i := range s.rows {
		if s.rows[i].key == name {
			return &s.rows[i]
		}
	}
	return nil
}

// put writes a key, in its old place among the others where it has one.
func (doc *document) put(sec string, row entry) {
	if e := doc.find(sec, row.key); e != nil {
		*e = row
		return
	}
	s := doc.section(sec)
	if s == nil {
		doc.sections = append(doc.sections, section{name: sec, at: row.at})
		s = &doc.sections[len(doc.sections)-1]
	}
	s.rows = append(s.rows, row)
}

// remove takes a key out, so that its default holds.
func (doc *document) remove(section, name string) {
	if s := doc.section(section); s != nil {
		s.rows = slices.DeleteFunc(s.rows, func(e entry) bool { return e.key == name })
	}
}
