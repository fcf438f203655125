package results

import (
	"bufio"
	"encoding/json"
	"io"
)

// ExportSchema names the version of what ExportJSON writes.
const ExportSchema = "shardlab.export/1"

// Export is a run in one document: what manifest.json, trials.jsonl, blocks.jsonl and seconds.jsonl hold.
type Export struct {
	Schema   string   `json:"schema"` // ExportSchema
	Manifest Manifest `json:"manifest"`
	Slices   []Slice  `json:"slices"`            // void ones included
	Trials   []Trial  `json:"blocks"`            // one for each point, arm and block that came to its end
	Seconds  []Second `json:"seconds,omitempty"` // of a load
}

// ExportJSON writes all records of a run as one JSON document.
func ExportJSON(w io.Writer, run *Run) error {
	seconds, err := run.Seconds()
	if err != nil {
		return err
	}
	b := bufio.NewWriter(w)
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(Export{ExportSchema, run.Manifest, run.Slices, run.Trials, seconds}); err != nil {
		return err
	}
	return b.Flush()
}
