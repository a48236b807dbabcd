using System.Globalization;
using System.Text;

namespace DataHub.Catalog;

/// <summary>The access table as the documentation shows it (Markdown).</summary>
internal static class AccessTableText
{
    /// <summary>Which right each role has on what belongs to it.</summary>
    public static string Roles(string language)
    {
        var german = language == "de";
        var text = new StringBuilder();
        var keys = new[] { KeyRole.Read, KeyRole.Push, KeyRole.Admin };
        var roles = Enum.GetValues<DataspaceRole>().Where(role => role != DataspaceRole.None).ToArray();
        text.Append(CultureInfo.InvariantCulture, $"| {(german ? "Recht" : "Right")} | {(german ? "alle" : "everybody")} |");
        foreach (var key in keys) text.Append(CultureInfo.InvariantCulture, $" {(german ? "Schlüssel" : "key")} `{ContractWords.Of(key)}` |");
        foreach (var role in roles) text.Append(CultureInfo.InvariantCulture, $" {AccessWords.Name(role).In(language)} |");
        text.Append("\n| --- |").Insert(text.Length, " :-: |", 1 + keys.Length + roles.Length).Append('\n');
        foreach (var right in AccessRules.Each)
        {
            text.Append(CultureInfo.InvariantCulture, $"| `{AccessWords.Of(right)}` {AccessWords.Name(right).In(language)} | {Everybody(right)} |");
            foreach (var key in keys) text.Append(CultureInfo.InvariantCulture, $" {Mark(AccessRules.Of(key), right)} |");
            foreach (var role in roles) text.Append(CultureInfo.InvariantCulture, $" {Mark(AccessRules.Of(role), right)} |");
            text.Append('\n');
        }

        return text.ToString();

        static string Mark(AccessRights has, AccessRights right) => (has & right) != 0 ? "✓" : "–";

        string Everybody(AccessRights right) =>
            (AccessRules.OfEverybody(new("x", null, "x", AccessClass.Internal)) & right) != 0 ? "✓"
            : (AccessRules.OfEverybody(new("x", null, "x", AccessClass.Open)) & right) != 0 ? german ? "wo offen" : "where open" : "–";
    }

    /// <summary>Which right each operation needs.</summary>
    public static string Operations(string language)
    {
        var text = new StringBuilder(language == "de" ? "| Vorgang | Recht | Hinweis |\n| --- | --- | --- |\n" : "| Operation | Right | Note |\n| --- | --- | --- |\n");
        foreach (var operation in AccessTable.Operations)
            text.Append(CultureInfo.InvariantCulture, $"| `{operation.Route}` | {(operation.Right is { } right ? $"`{AccessWords.Of(right)}`" : "–")} | {operation.Note?.In(language)} |\n");
        return text.ToString();
    }

    /// <summary>Every form of the pages with the operation that it stands for.</summary>
    public static string Forms(string language)
    {
        var text = new StringBuilder().Append(language == "de" ? "| Formular | steht für |\n" : "| Form | stands for |\n").Append("| --- | --- |\n");
        foreach (var form in AccessTable.Forms) text.Append("| `").Append(form.Route).Append("` | `").Append(form.Operation).Append("` |\n");
        return text.ToString();
    }
}
