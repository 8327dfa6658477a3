import type { ProviderPlan } from "../../wasm/types/provider.js";
import { type Code, fields, indent, PROMPT, pascal, quoteWide as quote } from "./text.js";

const SDK = "github.com/github/copilot-sdk/go";

/** Formatted as `gofmt` does. */
export function go({ config, model, scope }: ProviderPlan): Code {
  const field = (name: string, value: string) => `${goName(name)}: ${value},`;
  const dated = (version: string) => `Azure: &copilot.AzureProviderOptions{APIVersion: ${quote(version)}},`;
  const lines = fields(config, field, quote, dated);
  const literal = [
    "&copilot.ProviderConfig{",
    ...align(scope ? [...lines, "BearerTokenProvider: bearerToken,"] : lines),
    "}",
  ];
  const imports = (standard: readonly string[]) => [
    "import (",
    ...indent("\t", [
      ...standard.map((name) => `"${name}"`),
      ...(standard.length > 0 ? [""] : []),
      ...(scope
        ? [
            '"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"',
            '"github.com/Azure/azure-sdk-for-go/sdk/azidentity"',
          ]
        : []),
      `copilot "${SDK}"`,
    ]),
    ")",
    "",
  ];
  const credential = scope
    ? [
        "credential, err := azidentity.NewDefaultAzureCredential(nil)",
        "if err != nil {",
        "\treturn nil, err",
        "}",
        `scope := policy.TokenRequestOptions{Scopes: []string{${quote(scope)}}}`,
        "bearerToken := func(copilot.ProviderTokenArgs) (string, error) {",
        "\ttoken, err := credential.GetToken(context.Background(), scope)",
        "\treturn token.Token, err",
        "}",
      ]
    : [];
  const provider = [
    "func provider() (*copilot.ProviderConfig, error) {",
    ...indent("\t", [...credential, `return ${literal.join("\n")}, nil`]),
    "}",
  ];
  return {
    program: [
      `// Install: go mod init app && go get -tool ${SDK}/cmd/bundler && go mod tidy && go tool bundler`,
      "// Run: go run .",
      "",
      "package main",
      "",
      ...imports(["context", "fmt", "log"]),
      ...provider,
      "",
      "func run(ctx context.Context) error {",
      "\tprovider, err := provider()",
      ...indent("\t", RETURN_ERROR),
      "\tclient := copilot.NewClient(nil)",
      "\tdefer client.Stop()",
      "\tsession, err := client.CreateSession(ctx, &copilot.SessionConfig{",
      `\t\tModel:    ${quote(model)},`,
      "\t\tProvider: provider,",
      "\t})",
      ...indent("\t", RETURN_ERROR),
      `\tanswer, err := session.SendAndWait(ctx, copilot.MessageOptions{Prompt: ${quote(PROMPT)}})`,
      ...indent("\t", RETURN_ERROR),
      "\tif answer != nil {",
      "\t\tif message, ok := answer.Data.(*copilot.AssistantMessageData); ok {",
      "\t\t\tfmt.Println(message.Content)",
      "\t\t}",
      "\t}",
      "\treturn nil",
      "}",
      "",
      "func main() {",
      "\tif err := run(context.Background()); err != nil {",
      "\t\tlog.Fatal(err)",
      "\t}",
      "}",
    ].join("\n"),
    snippet: [
      ...imports(scope ? ["context"] : []),
      ...provider,
      "",
      `// client.CreateSession(ctx, &copilot.SessionConfig{Model: ${quote(model)}, Provider: provider})`,
    ].join("\n"),
  };
}

const RETURN_ERROR = ["if err != nil {", "\treturn err", "}"];

/** Indents the fields of a literal, and aligns their values. */
function align(lines: readonly string[]): string[] {
  const names = lines.map((line) => line.slice(0, line.indexOf(" ")));
  const width = Math.max(...names.map((name) => name.length));
  return lines.map((line, index) => {
    const name = names[index] as string;
    return `\t${name.padEnd(width)}${line.slice(name.length)}`;
  });
}

/** Converts a name to Go, which writes initialisms in capitals. */
function goName(name: string): string {
  return pascal(name).replace(/Url$|Id$|Api$/, (initials) => initials.toUpperCase());
}
