using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;

using DataHub.Catalog;
using DataHub.Support;
using DataHub.Tests.Catalog;

using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Microsoft.Playwright;

using static DataHub.Support.HubFixture;
using static Microsoft.Playwright.Assertions;

namespace DataHub.Sharing;

/// <summary>Two people of two agencies and an agreement, on the pages, as a browser sends them.</summary>
public sealed class AgreementPagesTests
{
    private const string Page = "/agreements/v";

    [Fact]
    public async Task Two_people_of_two_agencies_walk_from_a_draft_to_a_revocation_on_the_pages()
    {
        await using var hub = await HubAsync();
        using var ada = await SignedInAsync(hub, "ada");
        using var bert = await SignedInAsync(hub, "bert");
        Assert.Contains("Keine, von denen Sie wissen dürfen.", await ReadAsync(bert, "/agreements"), StringComparison.Ordinal);

        // A draft that breaks the charter: the page says so, clause by clause, and the offer is refused with the reason.
        var page = await DoneAsync(ada, "/agreements", Page + "?done=draft#standing", [("id", "v"), .. Both(), ("legalBasis", "")]);
        Assert.Contains("Der Entwurf ist angelegt.", page, StringComparison.Ordinal);
        Assert.Contains("die Bedingungen so ändern, dass die Charta eingehalten ist (Transparenz)", page, StringComparison.Ordinal);
        Assert.Contains("Nicht eingehalten: 1.", page, StringComparison.Ordinal);
        Assert.Equal(["acknowledge-charter", "terms"], Forms(page));
        using (var early = await ada.PostAsync(Page + "/acts", ("act", "offer"), ("version", "1")))
        {
            Assert.Equal(HttpStatusCode.Conflict, early.StatusCode);
            Assert.Matches("role=\"alert\">[^<]*transparency: Die Rechtsgrundlage ist genannt", WebUtility.HtmlDecode(await early.Content.ReadAsStringAsync()));
        }

        page = await DoneAsync(ada, Page + "/terms", Page + "?done=terms#standing", [.. Both(), ("version", "1")]);
        Assert.Contains("Rechtsgrundlage: vorher „nicht genannt“, jetzt „§ 12 EGovG“.", page, StringComparison.Ordinal);
        Assert.Contains("Die bereitstellende Seite (amt): anbieten.", page, StringComparison.Ordinal);
        Assert.Equal(["acknowledge-charter", "offer", "terms"], Forms(page));
        page = await DoneAsync(ada, Page + "/acts", Page + "?done=offer#standing", ("act", "offer"), ("version", "2"), ("side", "provider"));
        Assert.Contains("Wie es steht: angeboten", page, StringComparison.Ordinal);

        // The other side finds it in its list, counters, and what was changed stands in words.
        page = await ReadAsync(bert, "/agreements");
        Assert.Contains("amt → bezirk", page, StringComparison.Ordinal);
        Assert.Contains("die Data-Sharing-Charta anerkennen; zustimmen", page, StringComparison.Ordinal);
        page = await DoneAsync(bert, Page + "/terms?lang=en", Page + "?done=terms&lang=en#standing", [.. Both("5000"), ("version", "2"), ("side", "recipient")]);
        Assert.Contains("Rows a day, at most: was “1000”, is now “5000”.", page, StringComparison.Ordinal);
        Assert.Contains("The recipient, person:local:bert", page, StringComparison.Ordinal);
        Assert.Contains("vorher „1000“, jetzt „5000“", await ReadAsync(ada, Page), StringComparison.Ordinal);

        // Both acknowledge and agree; whoever has not read the last version does not agree to it.
        await DoneAsync(ada, Page + "/acts", Page + "?done=acknowledge-charter#standing", ("act", "acknowledge-charter"), ("version", "3"));
        using (var stale = await ada.PostAsync(Page + "/acts", ("act", "agree"), ("version", "2")))
        {
            page = WebUtility.HtmlDecode(await stale.Content.ReadAsStringAsync());
            Assert.Contains("Es gilt Fassung 3, nicht 2", page, StringComparison.Ordinal);
            Assert.Matches("<details class=\"act\" id=\"form-agree\"[^>]*open", page);
        }

        page = await DoneAsync(ada, Page + "/acts", Page + "?done=agree#standing", ("act", "agree"), ("version", "3"));
        Assert.Contains("Die bereitstellende Seite: person:local:ada", page, StringComparison.Ordinal);
        Assert.DoesNotContain("form-agree", page, StringComparison.Ordinal);
        using (var old = await bert.PostAsync(Page + "/acts", ("act", "acknowledge-charter"), ("charter", "0"), ("side", "recipient")))
            Assert.Matches("role=\"alert\">[^<]*Es gilt Fassung 1", WebUtility.HtmlDecode(await old.Content.ReadAsStringAsync()));
        await DoneAsync(bert, Page + "/acts", Page + "?done=acknowledge-charter#standing", ("act", "acknowledge-charter"), ("charter", "1"), ("side", "recipient"));
        page = await DoneAsync(bert, Page + "/acts", Page + "?done=agree#standing", ("act", "agree"), ("version", "3"), ("side", "recipient"));
        Assert.Contains("Wie es steht: wirksam", page, StringComparison.Ordinal);
        Assert.Contains("die Pflicht „Bericht über die Nutzung“ erfüllen, bis ", page, StringComparison.Ordinal);
        Assert.Contains("id=\"form-fulfil-duty-bericht\"", page, StringComparison.Ordinal);

        // Evidence, suspension and resumption.
        page = await DoneAsync(bert, Page + "/acts", Page + "?done=fulfil-duty-bericht#standing", ("act", "fulfil-duty"), ("duty", "bericht"), ("evidence", "https://bezirk.example/<bericht>"), ("version", "3"), ("side", "recipient"));
        Assert.Contains("https://bezirk.example/<bericht>", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<bericht>", await bert.PageAsync(Page), StringComparison.Ordinal);
        Assert.DoesNotContain("form-fulfil-duty-bericht", page, StringComparison.Ordinal);
        Assert.Contains("form-fulfil-duty-loeschen", page, StringComparison.Ordinal);
        using (var again = await bert.PostAsync(Page + "/acts", ("act", "fulfil-duty"), ("duty", "bericht"), ("evidence", "Noch einmal"), ("version", "3"), ("side", "recipient")))
        {
            page = WebUtility.HtmlDecode(await again.Content.ReadAsStringAsync());
            Assert.Matches("role=\"alert\">[^<]*Die Pflicht „bericht“ ist erfüllt", page);
            Assert.Contains(">Noch einmal</textarea>", page, StringComparison.Ordinal);
        }

        page = await ReadAsync(ada, Page);
        Assert.Contains("href=\"/agreements/v/suspend\"", page, StringComparison.Ordinal);
        Assert.Contains("href=\"/agreements/v/revoke\"", page, StringComparison.Ordinal);
        Assert.DoesNotContain("Jetzt aussetzen", page, StringComparison.Ordinal);
        page = await ReadAsync(ada, Page + "/suspend");
        Assert.Contains("Laufende Ströme und Exporte durch diese Vereinbarung enden innerhalb einer Sekunde", page, StringComparison.Ordinal);
        Assert.Contains("Wirksam seit", page, StringComparison.Ordinal);
        page = await DoneAsync(ada, Page + "/acts", Page + "?done=suspend#standing", ("act", "suspend"), ("reason", "Verdacht"), ("version", "3"), ("side", "provider"));
        Assert.Contains("Ausgesetzt; das war die bereitstellende Seite (Verdacht).", page, StringComparison.Ordinal);
        Assert.Contains("form-resume", page, StringComparison.Ordinal);
        await DoneAsync(ada, Page + "/acts", Page + "?done=resume#standing", ("act", "resume"), ("version", "3"));

        // The revocation says what it brings, wants a reason, and is final.
        Assert.Contains("Ein Widerruf ist endgültig.", await ReadAsync(ada, Page + "/revoke"), StringComparison.Ordinal);
        using (var mute = await ada.PostAsync(Page + "/acts", ("act", "revoke"), ("reason", " "), ("version", "3")))
        {
            page = WebUtility.HtmlDecode(await mute.Content.ReadAsStringAsync());
            Assert.Equal(HttpStatusCode.UnprocessableEntity, mute.StatusCode);
            Assert.Matches("role=\"alert\">[^<]*Hier ist zu sagen, warum", page);
            Assert.Contains("Ein Widerruf ist endgültig.", page, StringComparison.Ordinal);
        }

        page = await DoneAsync(ada, Page + "/acts", Page + "?done=revoke#standing", ("act", "revoke"), ("reason", "Zweck entfallen"), ("version", "3"));
        Assert.Contains("(Zweck entfallen): Es gehen keine Daten mehr über.", page, StringComparison.Ordinal);
        Assert.Empty(Forms(page));

        // The history says who, when and what, with the beginning of the hash.
        var events = (await OkAsync(ada.GetAsync("api/v1/agreements/v/events"))).RootElement.GetProperty("events").EnumerateArray().ToArray();
        Assert.Equal(["change", "change", "offer", "change", "acknowledge-charter", "agree", "acknowledge-charter", "agree", "activate", "fulfil-duty", "suspend", "resume", "revoke"], events.Select(one => one.GetProperty("act").GetString()));
        foreach (var one in events)
        {
            var hash = one.GetProperty("hash").GetString()!;
            Assert.Contains(hash[..12] + "…", page, StringComparison.Ordinal);
            Assert.DoesNotContain(hash[..13], page[page.IndexOf("id=\"events\"", StringComparison.Ordinal)..], StringComparison.Ordinal);
        }

        Assert.Equal(["person:local:ada", "person:local:bert", "hub"], events.Select(one => one.GetProperty("who").GetString()).Distinct());

        (string Name, string Value)[] Both(string rows = "1000") =>
            [.. Draft(rows: rows), ("duties[1].id", "loeschen"), ("duties[1].kind", "delete"), ("duties[1].text.de", "Löschen"), ("duties[1].due", DateTimeOffset.UtcNow.Date.AddDays(200).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture))];
    }

    [Fact]
    public async Task What_a_side_may_not_do_has_no_form_and_is_refused_with_the_reason_if_it_is_sent_anyhow()
    {
        await using var hub = await HubAsync();
        using var ada = await SignedInAsync(hub, "ada");
        using var bert = await SignedInAsync(hub, "bert");
        await DoneAsync(ada, "/agreements", Page + "?done=draft#standing", [("id", "v"), .. Draft(), ("term.notice", "P3M")]);
        var steps = new (string Provider, string Recipient, PageBrowser Who, string Side, string Act, string State)[]
        {
            ("acknowledge-charter offer terms", "acknowledge-charter", ada, "provider", "acknowledge-charter", "DRAFT"),
            ("offer terms", "acknowledge-charter", ada, "provider", "offer", "OFFERED"),
            ("agree withdraw terms", "acknowledge-charter withdraw terms", bert, "recipient", "acknowledge-charter", "OFFERED"),
            ("agree withdraw terms", "agree withdraw terms", bert, "recipient", "withdraw", "DRAFT"),
            ("offer terms", "", ada, "provider", "offer", "OFFERED"),
            ("agree withdraw terms", "agree withdraw terms", ada, "provider", "agree", "OFFERED"),
            ("withdraw terms", "agree withdraw terms", bert, "recipient", "agree", "ACTIVE"),
            ("end revoke suspend", "end fulfil-duty suspend", ada, "provider", "suspend", "SUSPENDED"),
            ("end resume revoke", "end fulfil-duty", ada, "provider", "resume", "ACTIVE"),
            ("end revoke suspend", "end fulfil-duty suspend", bert, "recipient", "suspend", "SUSPENDED"),
            ("end revoke", "end fulfil-duty resume", ada, "provider", "end", "SUSPENDED"),
            ("revoke", "fulfil-duty resume", ada, "provider", "revoke", "REVOKED"),
            ("", "", ada, "provider", "", ""),
        };
        var refused = 0;
        for (var step = 0; step < steps.Length; step++)
        {
            var (provider, recipient, by, of, next, state) = steps[step];
            foreach (var (who, side, expected) in new[] { (ada, "provider", provider), (bert, "recipient", recipient) })
            {
                var page = await ReadAsync(who, Page);
                var offered = new List<string>();
                foreach (var act in AgreementWords.Acts.Append("terms"))
                {
                    if (await OffersAsync(who, page, act, side)) offered.Add(act);
                }

                Assert.True(expected.Split(' ', StringSplitOptions.RemoveEmptyEntries).ToHashSet().SetEquals(offered), $"step {step}: {side} is offered {string.Join(' ', offered)} in place of {expected}");
                foreach (var act in AgreementWords.Acts.Append("terms").Except(offered))
                {
                    var before = await StandingAsync(ada);
                    using var answer = act == "terms"
                        ? await who.PostAsync(Page + "/terms", [.. Draft(rows: "77"), ("side", side), ("version", "1")])
                        : await who.PostAsync(Page + "/acts", ("act", act), ("side", side), ("reason", "Meine Worte"), ("duty", "bericht"), ("evidence", "Mein Nachweis"), ("version", "1"));
                    var text = WebUtility.HtmlDecode(await answer.Content.ReadAsStringAsync());
                    Assert.True(answer.StatusCode == HttpStatusCode.Conflict, $"step {step}: {side} {act}: {(int)answer.StatusCode}");
                    Assert.Matches("<p class=\"fault\" role=\"alert\">[^<]{10,}</p>", text);
                    // What was typed in is still there.
                    if (act is "suspend" or "revoke") Assert.Contains("Meine Worte</textarea>", text, StringComparison.Ordinal);
                    if (act == "fulfil-duty") Assert.Contains("Mein Nachweis</textarea>", text, StringComparison.Ordinal);
                    if (act == "terms") Assert.Contains("value=\"77\"", text, StringComparison.Ordinal);
                    Assert.Equal(before, await StandingAsync(ada));
                    refused++;
                }
            }

            if (next.Length == 0) continue;
            await DoneAsync(by, Page + "/acts", $"{Page}?done={next}#standing", ("act", next), ("side", of), ("reason", "Probe"), ("version", "1"));
            Assert.Equal(state, (await OkAsync(ada.GetAsync("api/v1" + Page))).RootElement.GetProperty("state").GetString());
        }

        Assert.True(refused > 150, $"{refused} refused");

        // What is no act at all is refused too.
        using var unknown = await ada.PostAsync(Page + "/acts", ("act", "abnicken"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, unknown.StatusCode);
        Assert.Matches("role=\"alert\">„abnicken“ gibt es nicht", WebUtility.HtmlDecode(await unknown.Content.ReadAsStringAsync()));
        using var other = await ada.PostAsync(Page + "/acts", ("act", "revoke"), ("side", "recipient"), ("reason", "Probe"));
        Assert.Equal(HttpStatusCode.Forbidden, other.StatusCode);
    }

    [Fact]
    public async Task For_a_person_of_a_third_agency_there_is_no_such_agreement()
    {
        await using var hub = await HubAsync();
        using var ada = await SignedInAsync(hub, "ada");
        using var cleo = await SignedInAsync(hub, "cleo");
        using var nobody = new PageBrowser(hub.Address);
        await DoneAsync(ada, "/agreements", Page + "?done=draft#standing", [("id", "v"), .. Draft()]);

        foreach (var stranger in new[] { cleo, nobody })
        {
            foreach (var path in new[] { Page, Page + "/suspend", Page + "/revoke", Page + "?before=2&lang=en" })
            {
                using var answer = await stranger.PageAnswerAsync(path);
                Assert.Equal((HttpStatusCode.NotFound, "text/html"), (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
                Assert.DoesNotContain("Luftgüte", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            }

            foreach (var query in new[] { "", "?agency=amt", "?agency=Unsinn" }) Assert.DoesNotContain(Page, await stranger.PageAsync("/agreements" + query), StringComparison.Ordinal);
        }

        foreach (var path in new[] { "/acts", "/terms" })
        {
            using var answer = await cleo.PostAsync(Page + path, [("act", "offer"), .. Draft(rows: "9"), ("version", "1")]);
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
            Assert.DoesNotContain("Luftgüte", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        // Nor is it taken over under its id, nor does anybody draft on another's dataset.
        using (var taken = await cleo.PostAsync("/agreements", [("id", "v"), .. Draft()])) Assert.Equal(HttpStatusCode.Conflict, taken.StatusCode);
        using (var foreign = await cleo.PostAsync("/agreements", [("id", "w"), .. Draft()])) Assert.Equal(HttpStatusCode.Forbidden, foreign.StatusCode);
        Assert.Equal(1, (await OkAsync(ada.GetAsync("api/v1" + Page))).RootElement.GetProperty("events").GetInt32());
        Assert.Contains("Keine, von denen Sie wissen dürfen.", await ReadAsync(cleo, "/agreements?agency=dritte"), StringComparison.Ordinal);
        Assert.Contains("Luftgüte", await ReadAsync(ada, "/agreements?agency=amt"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Forms_count_only_from_the_hubs_own_pages_and_of_somebody_who_has_signed_in()
    {
        await using var hub = await HubAsync();
        using var ada = await SignedInAsync(hub, "ada");
        using var nobody = new PageBrowser(hub.Address);
        await DoneAsync(ada, "/agreements", Page + "?done=draft#standing", [("id", "v"), .. Draft()]);
        foreach (var (path, fields) in new (string, (string Name, string Value)[])[] { ("/agreements", [("id", "w"), .. Draft()]), (Page + "/acts", [("act", "offer")]), (Page + "/terms", [.. Draft(rows: "9")]) })
        {
            foreach (var (origin, site) in new (string?, string?)[] { ("https://boese.example", null), ("null", null), (null, "cross-site"), (null, "same-site"), (null, null) })
            {
                using var crossed = await ada.SendAsync(HttpMethod.Post, path, origin, site, "navigate", Content(fields));
                Assert.True(crossed.StatusCode == HttpStatusCode.Forbidden, $"{path} {origin} {site}: {(int)crossed.StatusCode}");
            }

            using var unknown = await nobody.PostAsync(path, fields);
            Assert.Equal((HttpStatusCode.Unauthorized, "text/html"), (unknown.StatusCode, unknown.Content.Headers.ContentType?.MediaType));
            using var key = await hub.Admin.PostAsync(path, Content(fields));
            Assert.Equal(HttpStatusCode.Unauthorized, key.StatusCode);
        }

        Assert.Equal(1, (await OkAsync(ada.GetAsync("api/v1" + Page))).RootElement.GetProperty("events").GetInt32());
        await RefusedAsync(ada.GetAsync("api/v1/agreements/w"), 404);
        Assert.Empty(Forms(await ReadAsync(nobody, "/agreements")));

        // A key of the other side reads the page; it fills in no forms.
        using var request = new HttpRequestMessage(HttpMethod.Get, Page) { Headers = { { "Accept", "text/html" } } };
        using var read = await (await hub.AgencyAsync("bezirk", KeyRole.Admin)).SendAsync(request);
        var page = WebUtility.HtmlDecode(await read.Content.ReadAsStringAsync());
        Assert.Contains("Wie es steht: Entwurf", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<details", page, StringComparison.Ordinal);

        static FormUrlEncodedContent Content((string Name, string Value)[] fields) => new(fields.Select(field => KeyValuePair.Create(field.Name, field.Value)));
    }

    [Fact]
    public async Task A_field_that_does_not_hold_says_why_and_everything_that_was_entered_stays()
    {
        await using var hub = await HubAsync();
        using var ada = await SignedInAsync(hub, "ada");
        foreach (var (field, value, says) in new[]
        {
            ("id", "Groß", "hat nicht die Form"), ("title.de", " ", "Ein deutscher Text fehlt."), ("provider", "dritte", "veröffentlicht amt, nicht dritte"), ("recipient", "keine", "gibt es nicht"), ("recipient", "amt", "mit sich selbst"),
            ("purposes[0].id", "Zweck!", "hat nicht die Form"), ("purposes[0].text.de", "", "Ein deutscher Text fehlt."), ("forbiddenPurposes[1].id", "planung", "ist auch erlaubt"), ("forbiddenPurposes[1].id", "Kein Wort", "hat nicht die Form"), ("data.fields", "no2\nno3", "Das Feld „no3“"), ("data.filter", "no3 > 0", "no3"),
            ("data.areas", "01", "hat kein Gebietssystem"), ("data.from", "gestern", "ist kein Zeitpunkt"), ("data.finestLevel", "-1", "0 oder mehr"), ("data.smallestGroup", "viele", "ist keine ganze Zahl"), ("delivery.form", "alles", "gibt es hier nicht"),
            ("delivery.rhythm", "1h", "ist keine Dauer"), ("delivery.rowsPerDay", "0", "1 bis"), ("use.groups", "amt/leser", "ist keine Gruppe von bezirk"), ("use.networks", "10.0.0.1/99", "ist kein Netz"), ("duties[0].every", "PT1H", "mindestens ein Tag"),
            ("duties[0].due", "2099-01-01T00:00", "entweder due oder every"), ("duties[0].kind", "nichts", "gibt es hier nicht"), ("term.from", "", "Ein Zeitpunkt fehlt."), ("term.until", "2020-01-01T00:00", "muss nach term.from liegen"), ("term.notice", "bald", "ist keine Dauer"),
        })
        {
            // As the second row of its kind is empty, members and rows are not numbered alike.
            var fields = Draft().Append(("id", "v")).Append(("forbiddenPurposes[1].text.de", "Noch ein Zweck")).Append(("forbiddenPurposes[1].id", "noch-einer")).Where(one => one.Item1 != field && !one.Item1.StartsWith("forbiddenPurposes[0]", StringComparison.Ordinal)).Append((field, value)).ToArray();
            using var answer = await ada.PostAsync("/agreements", fields);
            var page = WebUtility.HtmlDecode(await answer.Content.ReadAsStringAsync());
            Assert.True(answer.StatusCode == HttpStatusCode.UnprocessableEntity, $"{field}: {(int)answer.StatusCode}");
            Assert.Matches("role=\"alert\">[^<]{10,}", page);
            var label = page[page.IndexOf($"name=\"{field}\"", StringComparison.Ordinal)..];
            label = label[..label.IndexOf("</label>", StringComparison.Ordinal)];
            Assert.True(label.Contains("aria-invalid=\"true\"", StringComparison.Ordinal) && label.Contains("class=\"wrong\"", StringComparison.Ordinal) && label.Contains(says, StringComparison.Ordinal), $"{field}: {label}");
            Assert.Equal(1, Regex.Count(page, "aria-invalid"));
            foreach (var (name, entered) in fields.Where(one => one.Item1 is not ("delivery.form" or "use.publication" or "fourEyes.recipient") && !one.Item1.EndsWith(".kind", StringComparison.Ordinal) && !one.Item1.EndsWith(".missed", StringComparison.Ordinal)))
                Assert.Matches($"name=\"{Regex.Escape(name)}\"[^>]*(value=\"{Regex.Escape(entered)}\"|>{Regex.Escape(entered)}<)", page);
            await RefusedAsync(ada.GetAsync("api/v1/agreements/v"), 404);
        }

        // A counter-offer that breaks the charter marks the fields of the clauses.
        await DoneAsync(ada, "/agreements", Page + "?done=draft#standing", [("id", "v"), .. Draft()]);
        await DoneAsync(ada, Page + "/acts", Page + "?done=offer#standing", ("act", "offer"));
        using var breaks = await ada.PostAsync(Page + "/terms?lang=en", [.. Draft().Where(one => one.Name is not ("use.publication" or "legalBasis")), ("version", "1")]);
        var english = WebUtility.HtmlDecode(await breaks.Content.ReadAsStringAsync());
        Assert.Equal(HttpStatusCode.Conflict, breaks.StatusCode);
        Assert.Equal(2, Regex.Count(english, "aria-invalid"));
        Assert.Contains("Results may be published at least as aggregates", english, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_form_that_is_sent_back_untouched_changes_nothing_and_the_other_sides_change_is_not_lost()
    {
        await using var hub = await HubAsync();
        using var ada = await SignedInAsync(hub, "ada");
        using var bert = await SignedInAsync(hub, "bert");
        object Text(string de, string? en = null) => new { de, en };
        var terms = new
        {
            title = Text(" Titel mit Rand ", "Title\r\nin two lines"),
            provider = "amt",
            recipient = "bezirk",
            dataset = "luft",
            purposes = new[] { new { id = "planung", text = Text("Planung, „genau“ <so> & nicht anders", "Planning\n\nof land") }, new { id = "klima", text = Text("Klima") } },
            forbiddenPurposes = new[] { new { id = "werbung", text = Text("Werbung", "Advertising") } },
            legalBasis = "§ 12 EGovG\n§ 3",
            data = new { fields = new[] { "no2", "station" }, from = "2026-01-01T00:00:00.1234567Z", to = "2029-01-01T00:00:00Z", filter = "no2 > 0\n AND no2 < 100", smallestGroup = 7 },
            delivery = new { form = "values", rhythm = "PT1H", rowsPerDay = 1_000_000 },
            use = new { groups = new[] { "bezirk/a", "bezirk/b" }, keys = new[] { "k1" }, networks = new[] { "192.0.2.0/24", "2001:db8::/32" }, onwardTransfer = "withConsent", publication = "aggregatesOnly" },
            duties = new object[] { new { id = "bericht", kind = "report", text = Text("Bericht"), every = "P3M", missed = "suspension" }, new { id = "loeschen", kind = "delete", text = Text("Löschen", "Delete"), due = "2029-06-01T10:11:12.5Z" } },
            term = new { from = "2026-01-01T00:00:00Z", until = "2029-01-01T00:00:00Z", notice = "P1M" },
            fourEyes = new { provider = false, recipient = true },
        };
        await OkAsync(hub.Admin.PutAsJsonAsync("api/v1/agreements/v", terms));
        var before = await StandingAsync(ada);
        var fields = Entered(await ada.PageAsync(Page), "form-terms");
        Assert.True(fields.Length > 60, $"{fields.Length} fields");
        await DoneAsync(ada, Page + "/terms", Page + "?done=terms#standing", fields);
        Assert.Equal(before, await StandingAsync(ada));

        // One field is one difference.
        var page = await DoneAsync(ada, Page + "/terms", Page + "?done=terms#standing", [.. fields.Select(field => field.Name == "term.notice" ? (field.Name, "P2M") : field)]);
        var changes = page[page.IndexOf("id=\"changes\"", StringComparison.Ordinal)..page.IndexOf("id=\"text\"", StringComparison.Ordinal)];
        Assert.Equal(["Kündigungsfrist: vorher „P1M“, jetzt „P2M“."], Regex.Matches(changes, "<li>([^<]*)</li>").Select(match => match.Groups[1].Value));

        // A purpose and a duty that are emptied are gone.
        fields = Entered(await ada.PageAsync(Page), "form-terms");
        page = await DoneAsync(ada, Page + "/terms", Page + "?done=terms#standing", [.. fields.Select(field => field.Name.StartsWith("purposes[1]", StringComparison.Ordinal) || (field.Name.StartsWith("duties[1]", StringComparison.Ordinal) && !field.Name.EndsWith("kind", StringComparison.Ordinal)) ? (field.Name, "") : field)]);
        Assert.Contains("Zweck „klima“ entfällt; vorher: „Klima“.", page, StringComparison.Ordinal);
        Assert.Contains("Pflicht „loeschen“ entfällt; vorher: „Löschen / Delete; Löschung; bis 2029-06-01 10:11:12.5 UTC; versäumt: Vermerk“.", page, StringComparison.Ordinal);

        // Who did not see the other side's counter-offer is told of it first, and keeps what was entered.
        await DoneAsync(ada, Page + "/acts", Page + "?done=offer#standing", ("act", "offer"));
        fields = Entered(await ada.PageAsync(Page), "form-terms");
        var theirs = Entered(await bert.PageAsync(Page), "form-terms");
        await DoneAsync(bert, Page + "/terms", Page + "?done=terms#standing", [.. theirs.Select(field => field.Name == "delivery.rowsPerDay" ? (field.Name, "5000") : field.Name == "side" ? (field.Name, "recipient") : field)]);
        using var late = await ada.PostAsync(Page + "/terms", [.. fields.Select(field => field.Name == "title.de" ? (field.Name, "Neuer Titel") : field)]);
        page = WebUtility.HtmlDecode(await late.Content.ReadAsStringAsync());
        Assert.Equal(HttpStatusCode.Conflict, late.StatusCode);
        Assert.Contains("Inzwischen gilt Fassung 4, nicht 3", page, StringComparison.Ordinal);
        Assert.Contains("vorher „1000000“, jetzt „5000“", page, StringComparison.Ordinal);
        Assert.Contains(">Neuer Titel</textarea>", page, StringComparison.Ordinal);
        Assert.Contains("name=\"version\" value=\"4\"", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missed_duty_is_asked_for_and_shown_with_its_evidence_and_older_events_are_a_page_further()
    {
        var start = new DateTimeOffset(2026, 12, 1, 8, 0, 0, TimeSpan.Zero);
        var clock = new FakeTimeProvider(start);
        await using var hub = await HubAsync(clock);
        var ada = await SignedInAsync(hub, "ada");
        var bert = await SignedInAsync(hub, "bert");
        await DoneAsync(ada, "/agreements", Page + "?done=draft#standing", [("id", "v"), .. Draft(start.AddDays(1)), ("duties[0].missed", "suspension")]);
        await DoneAsync(ada, Page + "/acts", Page + "?done=offer#standing", ("act", "offer"));
        foreach (var (who, side) in new[] { (ada, "provider"), (bert, "recipient") })
        {
            await DoneAsync(who, Page + "/acts", Page + "?done=acknowledge-charter#standing", ("act", "acknowledge-charter"), ("side", side));
            await DoneAsync(who, Page + "/acts", Page + "?done=agree#standing", ("act", "agree"), ("side", side));
        }

        Assert.Contains("Niemand muss etwas tun; sie wird von selbst wirksam.", await ReadAsync(ada, Page), StringComparison.Ordinal);
        clock.SetUtcNow(start.AddDays(40));
        (ada, bert) = (await SignedInAsync(hub, "ada"), await SignedInAsync(hub, "bert"));
        var page = await ReadAsync(ada, Page);
        Assert.Contains("Ausgesetzt; das war der Hub (versäumte Pflicht „bericht“).", page, StringComparison.Ordinal);
        Assert.Contains("die versäumte Pflicht „Bericht über die Nutzung“ nachholen", page, StringComparison.Ordinal);
        Assert.DoesNotContain("form-resume", page, StringComparison.Ordinal);
        Assert.DoesNotContain("form-fulfil-duty", page, StringComparison.Ordinal);
        Assert.Contains("die versäumte Pflicht", await ReadAsync(bert, "/agreements"), StringComparison.Ordinal);
        page = await DoneAsync(bert, Page + "/acts", Page + "?done=fulfil-duty-bericht#standing", ("act", "fulfil-duty"), ("duty", "bericht"), ("evidence", "Bericht vom Januar"), ("side", "recipient"));
        Assert.Contains("Bericht vom Januar", page, StringComparison.Ordinal);
        Assert.Contains("erfüllt am ", page, StringComparison.Ordinal);
        Assert.Contains("form-resume", await ReadAsync(ada, Page), StringComparison.Ordinal);

        // Many events: the newest stand on the first page, the rest on the next.
        await DoneAsync(ada, Page + "/acts", Page + "?done=resume#standing", ("act", "resume"));
        var grain = hub.Grains.GetGrain<ISharingAgreementGrain>("v");
        for (var i = 0; i < 50; i++)
        {
            await grain.ActAsync(Caller.Hub, new(AgreementAct.Suspend, AgreementSide.Provider, Reason: "Probe"));
            await grain.ActAsync(Caller.Hub, new(AgreementAct.Resume, AgreementSide.Provider));
        }

        page = await ReadAsync(ada, Page);
        Assert.DoesNotContain("entworfen", page, StringComparison.Ordinal);
        var next = Regex.Match(page, "href=\"([^\"]*before=[^\"]*)\"").Groups[1].Value;
        Assert.Contains("entworfen", await ReadAsync(ada, next), StringComparison.Ordinal);
        ada.Dispose();
        bert.Dispose();
    }

    [Fact]
    public async Task A_long_list_is_read_page_by_page_and_passes_over_what_is_others()
    {
        await using var hub = await HubAsync();
        using var ada = await SignedInAsync(hub, "ada");
        using var cleo = await SignedInAsync(hub, "cleo");
        var ids = Enumerable.Range(0, 120).Select(number => $"a{number:000}").Append("z").ToArray();
        foreach (var id in ids)
        {
            var (provider, dataset) = id == "z" ? ("dritte", "wasser") : ("amt", "luft");
            await OkAsync(hub.Admin.PutAsJsonAsync("api/v1/agreements/" + id, new { title = id, provider, recipient = "bezirk", dataset, purposes = new[] { new { id = "probe", text = "Probe" } }, term = new { from = "2026-01-01T00:00:00Z", until = "2029-01-01T00:00:00Z", notice = "P1M" } }));
        }

        foreach (var (reader, sees, most) in new[] { (ada, ids[..^1], 3), (cleo, ids[^1..], 1) })
        {
            var (found, pages) = (new List<string>(), 0);
            for (var next = "/agreements?lang=en"; next.Length > 0; pages++)
            {
                var page = await ReadAsync(reader, next);
                found.AddRange(Regex.Matches(page, "href=\"/agreements/([a-z0-9]+)\\?lang=en\"").Select(match => match.Groups[1].Value));
                next = Regex.Match(page, "href=\"([^\"]*)\" rel=\"next\"").Groups[1].Value;
            }

            Assert.Equal(sees, found);
            Assert.Equal(most, pages);
        }
    }

    [BrowserFact]
    public async Task An_agreement_is_drafted_offered_and_revoked_on_a_small_screen_without_JavaScript()
    {
        await using var hub = await HubAsync();
        using var bert = await SignedInAsync(hub, "bert");
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = BrowserFactAttribute.Chromium,
            Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        });
        var context = await browser.NewContextAsync(new() { BaseURL = hub.Address.ToString(), ViewportSize = new() { Width = 360, Height = 800 }, JavaScriptEnabled = false, Locale = "de-DE" });
        context.SetDefaultTimeout(15_000);
        var page = await context.NewPageAsync();
        var faults = new List<string>();
        page.Console += (_, message) => faults.Add(message.Text);
        await page.GotoAsync("/");
        await page.GetByRole(AriaRole.Link, new() { Name = "Vereinbarungen" }).ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Anmelden" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Ada" }).ClickAsync();
        await Expect(page).ToHaveURLAsync(new Uri(hub.Address, "agreements").ToString());

        await page.GetByText("Vereinbarung entwerfen").ClickAsync();
        var form = page.Locator("#form-draft");
        foreach (var (name, value) in Draft().Append(("id", "v")).Where(field => field.Item1 is not ("use.publication" or "duties[0].kind" or "duties[0].missed"))) await form.Locator($"[name='{name}']").FillAsync(value);
        await form.GetByLabel("Veröffentlichung").SelectOptionAsync("nur zusammengefasst");
        await form.GetByLabel("Nur Zeilen mit").FillAsync("no3 > 0");
        await form.GetByRole(AriaRole.Button).ClickAsync();
        await Expect(form.GetByRole(AriaRole.Alert)).ToContainTextAsync("no3");
        await Expect(form.GetByLabel("Nur Zeilen mit")).ToHaveAttributeAsync("aria-invalid", "true");
        await Expect(form.GetByLabel("Rechtsgrundlage")).ToHaveValueAsync("§ 12 EGovG");
        await FitsAsync(page);
        await form.GetByLabel("Nur Zeilen mit").FillAsync("no2 > 0");
        await form.GetByRole(AriaRole.Button).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("Der Entwurf ist angelegt.");
        await FitsAsync(page);

        foreach (var (summary, id) in new[] { ("Charta anerkennen", "acknowledge-charter"), ("Anbieten", "offer"), ("Fassung 1 zustimmen", "agree") })
        {
            await page.Locator("summary", new() { HasTextString = summary }).ClickAsync();
            await page.Locator($"#form-{id}").GetByRole(AriaRole.Button).ClickAsync();
        }

        await DoneAsync(bert, Page + "/acts", Page + "?done=acknowledge-charter#standing", ("act", "acknowledge-charter"), ("side", "recipient"));
        await DoneAsync(bert, Page + "/acts", Page + "?done=agree#standing", ("act", "agree"), ("side", "recipient"));
        await page.GotoAsync(Page);
        await page.GetByRole(AriaRole.Link, new() { Name = "Widerrufen …" }).ClickAsync();
        await Expect(page.Locator("#stop")).ToContainTextAsync("enden innerhalb einer Sekunde");
        await FitsAsync(page);
        await page.GetByLabel("Warum").FillAsync("Zweck entfallen");
        await page.GetByRole(AriaRole.Button, new() { Name = "Jetzt widerrufen" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("widerrufen");
        await Expect(page.Locator("#events tbody tr").First).ToContainTextAsync("Zweck entfallen");
        await FitsAsync(page);
        Assert.DoesNotContain(faults, fault => !fault.Contains("422", StringComparison.Ordinal));

        static async Task FitsAsync(IPage page)
        {
            if (Environment.GetEnvironmentVariable("DATAHUB_SCREENSHOTS") is { Length: > 0 } folder)
                await page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"{Guid.NewGuid():N}.png"), FullPage = true });
            foreach (var element in await page.Locator("html, .account, .card, fieldset, textarea, input:not([type=hidden]), select").AllAsync())
            {
                var box = await element.BoundingBoxAsync();
                if (box is not null) Assert.InRange(box.X + box.Width, 0, 360.5f);
            }

            // Every field has a name for those who do not see it.
            foreach (var field in await page.Locator("main textarea, main select, main input:not([type=hidden])").AllAsync())
                Assert.Equal(1, await field.Locator("xpath=ancestor::label").CountAsync());
        }
    }

    /// <summary>A hub with two agencies that negotiate on a dataset of the first one, a third one, and a person of each.</summary>
    private static async Task<HubFixture> HubAsync(FakeTimeProvider? clock = null)
    {
        var hub = await StartAsync(new Dictionary<string, string?> { ["DataHub:SignIn:Local"] = "true" }, clock, services =>
        {
            foreach (var name in new[] { "Ada", "Bert", "Cleo" }) services.AddSingleton(new LocalPerson(name.ToLowerInvariant(), new(name, null)));
        });
        foreach (var (agency, space, dataset, group, person, role) in new[]
        {
            ("amt", "luftraum", "luft", "koordination", "ada", "coordinator"), ("bezirk", "bezirksraum", "", "leitung", "bert", "coordinator"), ("dritte", "wasserraum", "wasser", "koordination", "cleo", "coordinator"),
        })
        {
            await OkAsync(hub.Admin.PutAsJsonAsync($"api/v1/agencies/{agency}", new { name = agency }));
            await OkAsync(hub.Admin.PutAsJsonAsync($"api/v1/dataspaces/{space}", new { title = space, owner = agency }));
            if (dataset.Length > 0) await OkAsync(hub.Admin.PutAsJsonAsync($"api/v1/datasets/{dataset}", Dataset(agency, space)));

            await OkAsync(hub.Admin.PutAsJsonAsync($"api/v1/agencies/{agency}/groups/{group}", new { name = group }));
            await OkAsync(hub.Admin.PutAsJsonAsync($"api/v1/agencies/{agency}/groups/{group}/members/local:{person}", new { why = "Test" }));
            await OkAsync(hub.Admin.PostAsJsonAsync($"api/v1/dataspaces/{space}/grants", new { group = $"{agency}/{group}", role, why = "Test" }));
        }

        return hub;
    }

    private static object Dataset(string publisher, string dataspace) => new
    {
        title = new { de = "Messwerte" },
        publisher,
        kind = "observations",
        access = "internal",
        license = "dl-de/by-2-0",
        dataspace,
        schema = new
        {
            primaryKey = new[] { "station", "time" },
            fields = new object[] { new { name = "station", type = "string", role = "series" }, new { name = "time", type = "datetime", role = "time" }, new { name = "no2", type = "number", role = "measure" } },
        },
    };

    /// <summary>The fields of terms that keep the charter; in force from yesterday on, or from an instant.</summary>
    private static (string Name, string Value)[] Draft(DateTimeOffset? from = null, string rows = "1000")
    {
        var begin = from ?? DateTimeOffset.UtcNow.AddDays(-1);
        return
        [
            ("title.de", "Luftgüte für die Planung"), ("provider", "amt"), ("recipient", "bezirk"), ("dataset", "luft"), ("legalBasis", "§ 12 EGovG"), ("purposes[0].id", "planung"), ("purposes[0].text.de", "Bauleitplanung"),
            ("forbiddenPurposes[0].id", "werbung"), ("forbiddenPurposes[0].text.de", "Werbung"), ("delivery.rowsPerDay", rows), ("use.publication", "aggregatesOnly"),
            ("duties[0].id", "bericht"), ("duties[0].kind", "report"), ("duties[0].text.de", "Bericht über die Nutzung"), ("duties[0].every", "P30D"),
            ("term.from", begin.ToString("yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture)), ("term.until", begin.AddYears(1).ToString("yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture)), ("term.notice", "P1M"),
        ];
    }

    private static async Task<PageBrowser> SignedInAsync(HubFixture hub, string person)
    {
        var browser = new PageBrowser(hub.Address);
        using var answer = await browser.PostAsync("/signin/local", ("person", person));
        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        return browser;
    }

    /// <summary>Sends a form that must be done, and reads the page that it leads to; of a field that is named twice the last one counts.</summary>
    private static async Task<string> DoneAsync(PageBrowser browser, string path, string to, params (string Name, string Value)[] fields)
    {
        using var answer = await browser.PostAsync(path, [.. fields.Reverse().DistinctBy(field => field.Name).Reverse()]);
        Assert.True(answer.StatusCode == HttpStatusCode.SeeOther, $"{path}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
        Assert.Equal(to, answer.Headers.Location?.ToString());
        return await ReadAsync(browser, to);
    }

    private static async Task<string> ReadAsync(PageBrowser browser, string path) => WebUtility.HtmlDecode(await browser.PageAsync(path));

    /// <summary>Ids of the forms of a page.</summary>
    private static string[] Forms(string page) => [.. Regex.Matches(page, "<details class=\"act\" id=\"form-([^\"]*)\"").Select(match => match.Groups[1].Value)];

    /// <summary>Whether a page offers an act for a side, directly or on the page that explains it.</summary>
    private static async Task<bool> OffersAsync(PageBrowser who, string page, string act, string side)
    {
        if (act is "suspend" or "revoke")
        {
            var explained = await ReadAsync(who, $"{Page}/{act}");
            var offers = explained.Contains($"name=\"act\" value=\"{act}\"", StringComparison.Ordinal);
            Assert.Equal(offers, page.Contains($"href=\"{Page}/{act}\"", StringComparison.Ordinal));
            return offers && explained.Contains($"value=\"{side}\"", StringComparison.Ordinal);
        }

        var from = page.IndexOf(act == "fulfil-duty" ? "id=\"form-fulfil-duty-bericht\"" : $"id=\"form-{act}\"", StringComparison.Ordinal);
        return from >= 0 && page[from..page.IndexOf("</details>", from, StringComparison.Ordinal)].Contains($"value=\"{side}\"", StringComparison.Ordinal);
    }

    private static async Task<string> StandingAsync(PageBrowser browser)
    {
        var agreement = (await OkAsync(browser.GetAsync("api/v1" + Page))).RootElement;
        return string.Join(' ', new[] { "state", "version", "termsHash", "events", "head" }.Select(name => agreement.GetProperty(name).GetRawText()));
    }

    /// <summary>What a form holds, as a browser would send it.</summary>
    private static (string Name, string Value)[] Entered(string page, string form)
    {
        var from = page.IndexOf($"id=\"{form}\"", StringComparison.Ordinal);
        var text = page[from..page.IndexOf("</form>", from, StringComparison.Ordinal)];
        return
        [
            .. Regex.Matches(text, "<input type=\"[a-z-]+\"(?: step=\"1\")? name=\"([^\"]*)\"(?: value=\"([^\"]*)\")?").Select(match => (match.Groups[1].Value, WebUtility.HtmlDecode(match.Groups[2].Value))),
            // A browser drops the first end of line and sends each as CR LF.
            .. Regex.Matches(text, "<textarea name=\"([^\"]*)\"[^>]*>(?:\r?\n)?([^<]*)</textarea>").Select(match => (match.Groups[1].Value, WebUtility.HtmlDecode(match.Groups[2].Value).ReplaceLineEndings("\r\n"))),
            .. Regex.Matches(text, "<select name=\"([^\"]*)\".*?</select>", RegexOptions.Singleline).Select(match => (match.Groups[1].Value, Regex.Match(match.Value, "<option value=\"([^\"]*)\"[^>]*selected").Groups[1].Value)),
        ];
    }
}
