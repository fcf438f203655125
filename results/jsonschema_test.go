package results

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"testing"
)

// TestJSONSchemaFitsWhatIsWritten: a manifest, a slice, a block and a second, full and empty.
func TestJSONSchemaFitsWhatIsWritten(t *testing.T) {
	full := testSlice("p", "a", 1, 2)
	m := *testManifest()
	m.Before = Capture()
	for _, v := range []any{m, Manifest{Scenario: Scenario{Resolved: []byte("null")}}, full, Slice{}, Trial{}, NewSecond(full, false),
		Knee{Probes: []KneeProbe{{From: "below"}}}, Knee{}, Manifest{Scenario: Scenario{Resolved: []byte("null")}, Knee: &KneePlan{}}} {
		var schema bytes.Buffer
		must(t, WriteJSONSchema(&schema, Schema, "test", reflect.TypeOf(v)))
		var s, x any
		must(t, json.Unmarshal(schema.Bytes(), &s))
		b, err := json.Marshal(v)
		must(t, err)
		must(t, json.Unmarshal(b, &x))
		if err := fits(s.(map[string]any), x, "$"); err != nil {
			t.Errorf("%T: %v", v, err)
		}
	}
	// It must be able to say no.
	var schema bytes.Buffer
	must(t, WriteJSONSchema(&schema, Schema, "test", reflect.TypeFor[Trial]()))
	var s map[string]any
	must(t, json.Unmarshal(schema.Bytes(), &s))
	for _, bad := range []string{`{}`, `[]`, `{"point": 1}`} {
		var x any
		must(t, json.Unmarshal([]byte(bad), &x))
		if fits(s, x, "$") == nil {
			t.Errorf("%s is a trial", bad)
		}
	}
}

// fits checks a value against the part of JSON Schema that schemaOf uses, and that objects have no other properties.
func fits(schema map[string]any, v any, at string) error {
	if types, ok := schema["type"]; ok {
		list, ok := types.([]any)
		if !ok {
			list = []any{types}
		}
		if is := typeOf(v); !slices.Contains(list, any(is)) && !(is == "integer" && slices.Contains(list, any("number"))) {
			return fmt.Errorf("%s: %v is not of type %v", at, v, list)
		}
	}
	switch v := v.(type) {
	case []any:
		for i, x := range v {
			if err := fits(schema["items"].(map[string]any), x, fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return err
			}
		}
	case map[string]any:
		properties, fixed := schema["properties"].(map[string]any)
		required, _ := schema["required"].([]any)
		for _, name := range required {
			if _, ok := v[name.(string)]; !ok {
				return fmt.Errorf("%s: no %s", at, name)
			}
		}
		for name, x := range v {
			sub, ok := properties[name].(map[string]any)
			if more, open := schema["additionalProperties"].(map[string]any); !ok && open {
				sub, ok = more, true
			}
			if !ok && fixed {
				return fmt.Errorf("%s: %s is not in the schema", at, name)
			}
			if err := fits(sub, x, at+"."+name); err != nil {
				return err
			}
		}
	}
	return nil
}

func typeOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return "string"
	case bool:
		return "boolean"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	case float64:
		if v == float64(int64(v)) {
			return "integer"
		}
	}
	return "number"
}
