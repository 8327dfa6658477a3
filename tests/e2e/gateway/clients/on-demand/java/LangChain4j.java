// A program with LangChain4j: LangChain4j <turn|stream|tool> <prompt>.

import dev.langchain4j.agent.tool.Tool;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import dev.langchain4j.service.AiServices;
import java.util.concurrent.CompletableFuture;

public class LangChain4j {
  static final String URL = System.getenv("OPENAI_BASE_URL"), KEY = System.getenv("OPENAI_API_KEY");

  interface Assistant {
    String chat(String prompt);
  }

  static class Tools {
    @Tool("the answer")
    String answer() {
      return "tool-ran-42";
    }
  }

  public static void main(String[] args) throws Exception {
    if (args[0].equals("stream")) {
      var model = OpenAiStreamingChatModel.builder().baseUrl(URL).apiKey(KEY).modelName("gpt-5.5").build();
      var done = new CompletableFuture<ChatResponse>();
      model.chat(args[1], new StreamingChatResponseHandler() {
        public void onPartialResponse(String text) {
          System.out.print(text);
        }

        public void onCompleteResponse(ChatResponse response) {
          done.complete(response);
        }

        public void onError(Throwable error) {
          done.completeExceptionally(error);
        }
      });
      done.get();
      return;
    }
    var model = OpenAiChatModel.builder().baseUrl(URL).apiKey(KEY).modelName("gpt-5.5").build();
    var assistant = AiServices.builder(Assistant.class).chatModel(model);
    if (args[0].equals("tool")) assistant.tools(new Tools());
    System.out.println(assistant.build().chat(args[1]));
  }
}
