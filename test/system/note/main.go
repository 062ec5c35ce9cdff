// The notes and trees of golang.org/x/mod, which share no code with this library, at the other end of a pipe: reads
// jobs as JSON from standard input and writes as JSON what came of them.
package main

import (
	"crypto/rand"
	"encoding/json"
	"os"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Jobs are notes to open under keys, proofs to check, and texts to sign.
type Jobs struct {
	Open []struct {
		Note []byte
		Keys []string
	}
	Inclusion []struct {
		Proof []tlog.Hash
		Size  int64
		Root  tlog.Hash
		Index int64
		Leaf  []byte
	}
	Consistency []struct {
		Proof        []tlog.Hash
		Newer, Older int64
		NewerRoot    tlog.Hash
		OlderRoot    tlog.Hash
	}
	Sign []struct {
		// A text, or a note under a key of ours that gets one more line.
		Text string
		Note []byte
		Keys []string
		Name string
	}
}

// Opened is a note that was opened: the names behind its verified lines, and behind the others.
type Opened struct {
	Error string
	Text  string
	By    []string
	Not   []string
}

// Signed is a note and the key that signed it.
type Signed struct {
	Note []byte
	Key  string
}

// Answers stand in the order of the jobs.
type Answers struct {
	Open        []Opened
	Inclusion   []string
	Consistency []string
	Sign        []Signed
}

func main() {
	var jobs Jobs
	check(json.NewDecoder(os.Stdin).Decode(&jobs))
	var answers Answers
	for _, job := range jobs.Open {
		answers.Open = append(answers.Open, open(job.Note, job.Keys))
	}
	for _, job := range jobs.Inclusion {
		err := tlog.CheckRecord(job.Proof, job.Size, job.Root, job.Index, tlog.RecordHash(job.Leaf))
		answers.Inclusion = append(answers.Inclusion, text(err))
	}
	for _, job := range jobs.Consistency {
		err := tlog.CheckTree(job.Proof, job.Newer, job.NewerRoot, job.Older, job.OlderRoot)
		answers.Consistency = append(answers.Consistency, text(err))
	}
	for _, job := range jobs.Sign {
		secret, key, err := note.GenerateKey(rand.Reader, job.Name)
		check(err)
		signer, err := note.NewSigner(secret)
		check(err)
		toSign := &note.Note{Text: job.Text}
		if job.Note != nil {
			toSign, err = note.Open(job.Note, verifiers(job.Keys))
			check(err)
		}
		signed, err := note.Sign(toSign, signer)
		check(err)
		answers.Sign = append(answers.Sign, Signed{signed, key})
	}
	check(json.NewEncoder(os.Stdout).Encode(answers))
}

func open(message []byte, keys []string) Opened {
	opened, err := note.Open(message, verifiers(keys))
	if err != nil {
		return Opened{Error: err.Error()}
	}
	answer := Opened{Text: opened.Text}
	for _, line := range opened.Sigs {
		answer.By = append(answer.By, line.Name)
	}
	for _, line := range opened.UnverifiedSigs {
		answer.Not = append(answer.Not, line.Name)
	}
	return answer
}

func verifiers(keys []string) note.Verifiers {
	var list []note.Verifier
	for _, key := range keys {
		verifier, err := note.NewVerifier(key)
		check(err)
		list = append(list, verifier)
	}
	return note.VerifierList(list...)
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
