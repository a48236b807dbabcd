using Microsoft.AspNetCore.Http;

namespace DataHub.Tests;

public sealed class LanguageTests
{
    [Theory]
    [InlineData("", "de")]
    [InlineData("de", "de")]
    [InlineData("en", "en")]
    [InlineData("en-GB,en;q=0.9", "en")]
    [InlineData("de-DE,de;q=0.9,en;q=0.8", "de")]
    [InlineData("en-US,en;q=0.9,de;q=0.8", "en")]
    [InlineData("de;q=0.5,en;q=0.7", "en")]
    [InlineData("fr", "de")]
    [InlineData("*", "de")]
    [InlineData("en;q=0", "de")]
    [InlineData("english", "de")]
    [InlineData("fr, en;q=0.5, *;q=0.1", "en")]
    public void English_only_where_it_is_preferred(string header, string language)
    {
        var http = new DefaultHttpContext();
        http.Request.Headers.AcceptLanguage = header;
        Assert.Equal(language, Language.Of(http));
    }
}
