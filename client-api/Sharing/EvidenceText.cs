using System.Globalization;
using System.Net;
using System.Text;

using DataHub.Catalog;

namespace DataHub.Sharing;

/// <summary>What the person concerned is shown: who asked for what of them, when and why, in plain words, German or English.</summary>
internal static class EvidenceText
{
    private static readonly TimeZoneInfo s_zone = TimeZoneInfo.FindSystemTimeZoneById(CompiledContract.DefaultTimeZone);

    /// <summary>Lines of text.</summary>
    public static string Plain(EvidenceInquiryJson inquiry, string language)
    {
        var (title, intro) = (Title(language), Intro(inquiry, language));
        var text = new StringBuilder();
        text.Append(title).Append('\n').Append('=', title.Length).Append("\n\n").Append(intro).Append("\n\n");
        foreach (var (heading, lines) in Sections(inquiry, language))
        {
            text.Append(heading).Append('\n');
            foreach (var line in lines) text.Append("  - ").Append(line).Append('\n');
            text.Append('\n');
        }

        return text.ToString();
    }

    /// <summary>A page that prints as it stands: no script, no address outside of the hub.</summary>
    public static string Html(EvidenceInquiryJson inquiry, string language)
    {
        var title = WebUtility.HtmlEncode(Title(language));
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"<!doctype html>\n<html lang=\"{language}\">\n<head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title></head>\n<body>\n<main>\n<h1>{title}</h1>\n");
        text.Append(CultureInfo.InvariantCulture, $"<p>{WebUtility.HtmlEncode(Intro(inquiry, language))}</p>\n");
        foreach (var (heading, lines) in Sections(inquiry, language))
        {
            text.Append(CultureInfo.InvariantCulture, $"<h2>{WebUtility.HtmlEncode(heading)}</h2>\n<ul>\n");
            foreach (var line in lines) text.Append("<li>").Append(WebUtility.HtmlEncode(line)).Append("</li>\n");
            text.Append("</ul>\n");
        }

        return text.Append("</main>\n</body>\n</html>\n").ToString();
    }

    private static string Title(string language) => language == "en" ? "Who asked for which details about you?" : "Wer hat welche Angaben über Sie abgerufen?";

    private static string Intro(EvidenceInquiryJson inquiry, string language) => language == "en"
        ? $"This is about your record in “{inquiry.Title.In(language)}”, kept by {inquiry.Publisher.Name.In(language)}. As of {At(inquiry.At, language)}. Whoever asks for a single record is written down before an answer is given. After {inquiry.KeptDays} days the note is deleted. {Count(inquiry.Questions.Length, language)}"
        : $"Es geht um Ihren Eintrag in „{inquiry.Title.In(language)}“, geführt von {inquiry.Publisher.Name.In(language)}. Stand: {At(inquiry.At, language)}. Wer einen einzelnen Eintrag abruft, wird aufgeschrieben, bevor es eine Antwort gibt. Nach {inquiry.KeptDays} Tagen wird der Vermerk gelöscht. {Count(inquiry.Questions.Length, language)}";

    private static string Count(int questions, string language) => (questions, language) switch
    {
        (0, "en") => "Nobody has asked in this time.",
        (1, "en") => "There was one request.",
        (_, "en") => $"There were {questions} requests, the newest first.",
        (0, _) => "In dieser Zeit hat niemand gefragt.",
        (1, _) => "Es gab eine Abfrage.",
        _ => $"Es gab {questions} Abfragen, die neueste zuerst.",
    };

    private static IEnumerable<(string Heading, string[] Lines)> Sections(EvidenceInquiryJson inquiry, string language)
    {
        foreach (var question in inquiry.Questions)
        {
            yield return ($"{At(question.At, language)}: {question.Agency.Name.In(language)}",
            [
                Say("Gefragt hat: ", "Asked by: ") + question.Requester,
                Say("Wofür: ", "What for: ") + (question.PurposeText?.In(language) ?? question.Purpose),
                Say("Verfahren: ", "Procedure: ") + question.Procedure,
                Say("Aktenzeichen: ", "File number: ") + question.FileNumber,
                Say("Rechtsgrundlage: ", "Legal basis: ") + question.LegalNorm,
                question.Found
                    ? Say("Mitgeteilt wurde: ", "What was told: ") + string.Join(", ", question.Fields.Select(field => field.Title?.In(language) ?? field.Name))
                    : Say("Mitgeteilt wurde nichts; die Antwort war, dass es keinen Eintrag gibt, der gegeben werden darf.", "Nothing was told; the answer was that there is no record that may be given."),
                question.Agreement is { } agreement
                    ? Say($"Erlaubt durch die Vereinbarung {agreement}, Fassung {question.Version}", $"Allowed by the agreement {agreement}, version {question.Version}")
                    : Say("Erlaubt durch ein eigenes Leserecht", "Allowed by a right to read of its own"),
                Say("Nummer der Abfrage: ", "Number of the request: ") + question.Id,
            ]);
        }

        yield return (Say("Fragen dazu", "Questions about this"),
        [
            Say($"beantwortet {inquiry.Publisher.Name.In(language)}.", $"are answered by {inquiry.Publisher.Name.In(language)}."),
            Say("Diese Übersicht ist ein eigenes Angebot dieses Datenhubs. Sie zeigt nur Abfragen einzelner Einträge aus diesem Datensatz.", "This overview is this data hub's own. It shows only requests for single records of this dataset."),
        ]);

        string Say(string de, string en) => language == "en" ? en : de;
    }

    /// <summary>By Berlin's clock.</summary>
    private static string At(DateTimeOffset at, string language)
    {
        var local = TimeZoneInfo.ConvertTime(at, s_zone);
        return language == "en"
            ? local.ToString("d MMMM yyyy, HH:mm", CultureInfo.InvariantCulture)
            : local.ToString("dd.MM.yyyy, HH:mm", CultureInfo.InvariantCulture) + " Uhr";
    }
}
