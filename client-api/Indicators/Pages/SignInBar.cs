using System.Text;
using System.Text.Encodings.Web;

using DataHub.Catalog;

using Microsoft.AspNetCore.Http;

namespace DataHub.Indicators;

/// <summary>
/// Where pages say „Anmelden“ or who is signed in. Pages are rendered once for all; only these bytes are another person's,
/// and are put in when the page is sent.
/// </summary>
internal static class SignInBar
{
    private static readonly byte[] s_german = Encoding.UTF8.GetBytes(Anonymous(Display.German)), s_english = Encoding.UTF8.GetBytes(Anonymous(Display.English));

    /// <summary>What somebody sees who has not signed in.</summary>
    public static string Anonymous(Display display) =>
        $"<p class=\"account\"><a href=\"/signin\" rel=\"nofollow\">{display.Say("Anmelden", "Sign in")}</a></p>";

    /// <summary>The page for the person who reads it; null where that is nobody in particular.</summary>
    public static byte[]? For(HttpContext http, byte[] html)
    {
        if (http.Features.Get<SignedIn>() is not { } person) return null;
        foreach (var (anonymous, display) in new[] { (s_german, Display.German), (s_english, Display.English) })
        {
            var place = html.AsSpan().IndexOf(anonymous);
            if (place >= 0) return [.. html.AsSpan(0, place), .. Encoding.UTF8.GetBytes(Personal(display, person)), .. html.AsSpan(place + anonymous.Length)];
        }

        return null;
    }

    private static string Personal(Display display, SignedIn person) =>
        $"<form class=\"account\" method=\"post\" action=\"/signout\"><span class=\"who\">{HtmlEncoder.Default.Encode(person.Name)}</span> {(person.Locally ? $"<span class=\"local\">{display.Say("lokal angemeldet", "signed in locally")}</span> " : "")}<button type=\"submit\">{display.Say("Abmelden", "Sign out")}</button></form>";
}
