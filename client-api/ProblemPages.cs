using System.Text;
using System.Text.Encodings.Web;

using DataHub.Catalog;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace DataHub;

/// <summary>What a problem's <c>type</c> leads to: a page for people that says what it means and what to do, in German and English.</summary>
internal static class ProblemPages
{
    private const string Style =
        "body{font:1rem/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b;background:#fff}"
        + "code{background:#eee;padding:.1em .3em}article{border-top:1px solid #bbb;padding:.5rem 0}h2{font-size:1.1rem;margin:.5rem 0}"
        + "a{color:#00469b}@media(prefers-color-scheme:dark){body{color:#eee;background:#161616}code{background:#333}a{color:#8ab8ff}}";

    public static void MapProblemPages(this IEndpointRouteBuilder routes)
    {
        routes.MapRead("/problems", (HttpContext http) => Page(http, new("Fehlermeldungen", "Error answers"), ProblemTypes.All)).ExcludeFromDescription();
        routes.MapRead("/problems/{word}", (string word, HttpContext http) => ProblemTypes.Find(word) is { } type
            ? Page(http, type.Title, [type])
            : Problems.NotFound(http, new("Fehlermeldung", "Error answer"), word)).ExcludeFromDescription();
    }

    private static Microsoft.AspNetCore.Http.HttpResults.ContentHttpResult Page(HttpContext http, LocalText title, IEnumerable<ProblemType> types)
    {
        var language = Language.Of(http);
        var page = new StringBuilder()
            .Append("<!doctype html><html lang=\"").Append(language).Append("\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>")
            .Append(Text(title.In(language))).Append(" · DataHub</title><style>").Append(Style).Append("</style><main><h1>").Append(Text(title.In(language))).Append("</h1>");
        foreach (var type in types)
        {
            page.Append("<article><h2><a href=\"/problems/").Append(type.Word).Append("\"><code>").Append(type.Word).Append("</code></a> · ").Append(type.Status).Append("</h2>");
            foreach (var each in new[] { Language.German, Language.English })
            {
                page.Append("<p lang=\"").Append(each).Append("\"><strong>").Append(Text(type.Title.In(each))).Append(".</strong> ").Append(Text(type.Help.In(each))).Append("</p>");
            }

            page.Append("</article>");
        }

        http.Response.Headers.ContentLanguage = language;
        http.Response.Headers.Vary = "Accept-Language";
        return TypedResults.Content(page.Append("</main></html>").ToString(), "text/html; charset=utf-8");
    }

    private static string Text(string text) => HtmlEncoder.Default.Encode(text);
}
