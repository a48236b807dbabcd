using System.Diagnostics;

namespace DataHub.Support;

/// <summary>
/// The next version of silo and front-end, as a patch makes it of the files beside these tests: copied, patched and built
/// in a folder of its own.
/// </summary>
/// <remarks><c>DATAHUB_SECOND_BUILD</c> names a folder in which it has been built before, for those who run its tests often.</remarks>
internal sealed class SecondBuild : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(8);
    private static readonly string[] s_rooms = ["grain-interfaces", "grains", "silo", "client-api", "Directory.Build.props", "Directory.Packages.props", "global.json", ".editorconfig"];

    private readonly TemporaryFolder? _folder;
    private readonly string _root, _output;

    private SecondBuild(TemporaryFolder? folder, string root, string output) => (_folder, _root, _output) = (folder, root, output);

    public string Silo => Path.Combine(_root, "silo", _output, "DataHub.Silo.dll");

    public string FrontEnd => Path.Combine(_root, "client-api", _output, "DataHub.ClientApi.dll");

    /// <param name="patch">Path below the repository's root.</param>
    public static async Task<SecondBuild> MakeAsync(string patch)
    {
        var first = new DirectoryInfo(Path.GetDirectoryName(HubProcess.Program)!);
        var root = first.Parent!.Parent!.Parent!.Parent!.FullName;
        var output = Path.Combine("bin", first.Parent.Name, first.Name);
        if (Environment.GetEnvironmentVariable("DATAHUB_SECOND_BUILD") is { Length: > 0 } before) return new(null, before, output);
        var folder = new TemporaryFolder();
        try
        {
            // What git knows or would take: no outputs, nothing of anybody's editor.
            foreach (var file in (await FilesAsync(root)).Where(file => File.Exists(Path.Combine(root, file))))
            {
                var copy = Path.Combine(folder.FullName, file);
                Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
                File.Copy(Path.Combine(root, file), copy);
            }

            await RunAsync(folder.FullName, "git", ["apply", Path.Combine(root, patch)]);
            // Analysed is what is published, not what is only compared with.
            await RunAsync(folder.FullName, "dotnet", ["build", "silo", "-c", first.Parent.Name, "-v", "q", "-p:RunAnalyzers=false", "-p:GenerateDocumentationFile=false", "-p:NuGetAudit=false", "-p:UseSharedCompilation=false"]);
            return new(folder, folder.FullName, output);
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    public void Dispose() => _folder?.Dispose();

    private static async Task<string[]> FilesAsync(string root)
    {
        try
        {
            return (await RunAsync(root, "git", ["ls-files", "--cached", "--others", "--exclude-standard", "--", .. s_rooms])).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        }
        catch (InvalidOperationException)
        {
            // Sources without a repository: everything but outputs.
            return
            [
                .. s_rooms.Select(room => Path.Combine(root, room))
                    .SelectMany(room => Directory.Exists(room) ? Directory.EnumerateFiles(room, "*", SearchOption.AllDirectories) : [room])
                    .Select(file => Path.GetRelativePath(root, file))
                    .Where(file => !file.Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj" or "node_modules")),
            ];
        }
    }

    private static async Task<string> RunAsync(string folder, string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        // Nothing stays behind that would hold on to the outputs.
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        // A repository above the folder is none of its business.
        start.Environment["GIT_CEILING_DIRECTORIES"] = Path.GetDirectoryName(folder)!;
        // Those of the tests' own build are for that one.
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("MSBuild", StringComparison.Ordinal) && name != "MSBUILDDISABLENODEREUSE").ToArray()) start.Environment.Remove(name);
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        using var patience = new CancellationTokenSource(s_patience);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} {string.Join(' ', arguments)} took longer than {s_patience}");
        }

        if (process.ExitCode != 0) throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}: {await output} {await errors}");
        return await output;
    }
}
