// A program with openai-java, by the environment alone: OpenaiJava <turn|stream|tool> <prompt>.

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.models.responses.EasyInputMessage;
import com.openai.models.responses.FunctionTool;
import com.openai.models.responses.Response;
import com.openai.models.responses.ResponseCreateParams;
import com.openai.models.responses.ResponseInputItem;
import java.util.List;
import java.util.Map;

public class OpenaiJava {
  public static void main(String[] args) {
    String mode = args[0], prompt = args[1];
    OpenAIClient client = OpenAIOkHttpClient.fromEnv();
    var request = ResponseCreateParams.builder().model("gpt-5.5").input(prompt);
    if (mode.equals("stream")) {
      try (var events = client.responses().createStreaming(request.build())) {
        events.stream().flatMap(event -> event.outputTextDelta().stream()).forEach(text -> System.out.print(text.delta()));
      }
      return;
    }
    if (mode.equals("tool")) {
      var schema = FunctionTool.Parameters.builder().putAllAdditionalProperties(Map.of(
          "type", JsonValue.from("object"),
          "properties", JsonValue.from(Map.of()),
          "additionalProperties", JsonValue.from(false)));
      request.addTool(FunctionTool.builder().name("answer").parameters(schema.build()).strict(true).build());
    }
    Response response = client.responses().create(request.build());
    if (mode.equals("tool")) {
      var call = response.output().get(0).asFunctionCall();
      var result = ResponseInputItem.FunctionCallOutput.builder().callId(call.callId()).output("tool-ran-42");
      var question = EasyInputMessage.builder().role(EasyInputMessage.Role.USER).content(prompt);
      request.inputOfResponse(List.of(
          ResponseInputItem.ofEasyInputMessage(question.build()),
          ResponseInputItem.ofFunctionCall(call),
          ResponseInputItem.ofFunctionCallOutput(result.build())));
      response = client.responses().create(request.build());
    }
    response.output().stream().flatMap(item -> item.message().stream())
        .flatMap(message -> message.content().stream()).flatMap(part -> part.outputText().stream())
        .forEach(text -> System.out.println(text.text()));
    client.close();
  }
}
