// A program with openai-go, by the environment alone: client <turn|stream|tool> <prompt>.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/responses"
)

func main() {
	if err := answer(os.Args[1], os.Args[2]); err != nil {
		// Without this, the text of the error is its status alone.
		var refused *openai.Error
		if errors.As(err, &refused) {
			fmt.Fprintln(os.Stderr, refused.Message)
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func answer(mode, prompt string) error {
	ctx, client := context.Background(), openai.NewClient()
	input := responses.ResponseNewParamsInputUnion{OfString: openai.String(prompt)}
	params := responses.ResponseNewParams{Model: "gpt-5.5", Input: input}
	if mode == "stream" {
		stream := client.Responses.NewStreaming(ctx, params)
		for stream.Next() {
			if event := stream.Current(); event.Type == "response.output_text.delta" {
				fmt.Print(event.Delta)
			}
		}
		return stream.Err()
	}
	if mode == "tool" {
		params.Tools = []responses.ToolUnionParam{responses.ToolParamOfFunction("answer", map[string]any{
			"type": "object", "properties": map[string]any{}, "additionalProperties": false}, true)}
	}
	response, err := client.Responses.New(ctx, params)
	if err != nil {
		return err
	}
	if mode == "tool" {
		call := response.Output[0].AsFunctionCall()
		result := responses.ResponseInputItemParamOfFunctionCallOutput("tool-ran-42")
		result.OfFunctionCallOutput.CallID = openai.String(call.CallID)
		items := responses.ResponseInputParam{
			responses.ResponseInputItemParamOfMessage(prompt, responses.EasyInputMessageRoleUser),
			responses.ResponseInputItemParamOfFunctionCall(call.Arguments, call.CallID, call.Name),
			result,
		}
		params.Input = responses.ResponseNewParamsInputUnion{OfInputItemList: items}
		if response, err = client.Responses.New(ctx, params); err != nil {
			return err
		}
	}
	fmt.Println(response.OutputText())
	return nil
}
