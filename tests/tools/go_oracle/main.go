// Go's own answers, for comparison with gxo's: text/template with Sprig, as the conformance cases
// were made. Reads lines {"id", "template", "data"}; writes {"id", "ok", "output" | "error",
// "message"}, the same as `gxo eval --jsonl --fake-secrets`, and the output's bytes in base64 as `bytes`:
// JSON cannot hold those that are not UTF-8.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
)

type question struct {
	ID       any    `json:"id"`
	Template string `json:"template"`
	Data     any    `json:"data"`
}

type answer struct {
	ID      any     `json:"id"`
	OK      bool    `json:"ok"`
	Output  *string `json:"output,omitempty"`
	Bytes   []byte  `json:"bytes,omitempty"`
	Error   string  `json:"error,omitempty"`
	Message string  `json:"message,omitempty"`
}

// number types a number as YAML 1.2 does: without point and exponent it is an int of 64 bits,
// signed if it fits, else unsigned, else a float.
func number(text json.Number) any {
	if !strings.ContainsAny(text.String(), ".eE") {
		if value, err := strconv.ParseInt(text.String(), 10, 64); err == nil {
			return int(value)
		}
		if value, err := strconv.ParseUint(text.String(), 10, 64); err == nil {
			return value
		}
	}
	value, _ := text.Float64()
	return value
}

// typed replaces the numbers in a decoded value.
func typed(value any) any {
	switch value := value.(type) {
	case json.Number:
		return number(value)
	case []any:
		for index, item := range value {
			value[index] = typed(item)
		}
	case map[string]any:
		for key, item := range value {
			value[key] = typed(item)
		}
	}
	return value
}

func functions() template.FuncMap {
	made := sprig.TxtFuncMap()
	made["secret"] = func(name string) string { return "s3cr3t-" + name }
	env := func(name string) string { return "env-" + name }
	made["env"] = env
	made["expandenv"] = func(text string) string { return os.Expand(text, env) }
	return made
}

func evaluate(asked question) (result answer) {
	result.ID = asked.ID
	defer func() {
		if failure := recover(); failure != nil {
			result = answer{ID: asked.ID, Error: "exec", Message: fmt.Sprint(failure)}
		}
	}()
	parsed, err := template.New("case").Option("missingkey=error").Funcs(functions()).Funcs(checks()).Parse(asked.Template)
	if err != nil {
		result.Error, result.Message = "parse", err.Error()
		return
	}
	var output bytes.Buffer
	if err := parsed.Execute(&output, typed(asked.Data)); err != nil {
		result.Error, result.Message = "exec", err.Error()
		return
	}
	text := output.String()
	result.OK, result.Output, result.Bytes = true, &text, output.Bytes()
	return
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<26)
	answers := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var asked question
		decoder := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		decoder.UseNumber()
		if err := decoder.Decode(&asked); err != nil {
			log.Fatal(err)
		}
		if err := answers.Encode(evaluate(asked)); err != nil {
			log.Fatal(err)
		}
	}
	if err := lines.Err(); err != nil {
		log.Fatal(err)
	}
}
